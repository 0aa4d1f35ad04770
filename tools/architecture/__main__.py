"""`python -m tools.architecture`: draws docs/images/architecture.svg and docs/images/floors.svg."""

from .floors import ROOT
from .flow import steps
from .picture import draw_floors, draw_flow
from .rooms import houses

IMAGES = ROOT / "docs/images"


def pictures() -> dict[str, str]:
    """Each picture by its file's name."""
    return {"architecture.svg": draw_flow(steps()), "floors.svg": draw_floors(houses())}


def main() -> None:
    for name, picture in pictures().items():
        (IMAGES / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
