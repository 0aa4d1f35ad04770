"""`python -m tools.architecture`: draws docs/images/architecture.svg."""

from .flow import steps
from .picture import draw
from .rooms import ROOT, houses

PICTURE = ROOT / "docs/images/architecture.svg"


def main() -> None:
    PICTURE.write_text(draw(steps(), houses()), encoding="utf-8")


if __name__ == "__main__":
    main()
