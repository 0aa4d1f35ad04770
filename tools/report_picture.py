"""`python -m tools.report_picture REPORT`: draws docs/images/report.png, the top of a run's report in a browser."""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1100, 980


def draw(report: Path, picture: Path = PICTURE) -> None:
    """Writes a PNG of the report's top, 1,100 pixels wide, in light colours. Raises SystemExit without a Chromium."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise SystemExit("There is no Chromium on this machine. Debian's package is called chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.absolute().as_uri())
        page.screenshot(path=picture)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, metavar="REPORT", help="what `seedbed report` prints")
    parser.add_argument("--out", type=Path, default=PICTURE)
    given = parser.parse_args()
    draw(given.report, given.out)


if __name__ == "__main__":
    main()
