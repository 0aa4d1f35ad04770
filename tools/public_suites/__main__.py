"""`python -m tools.public_suites --suites FOLDER`: runs public suites, and writes what came of them."""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import boto3
from msgspec.structs import replace

from seedbed.local_cloud.environment import REGION
from seedbed.local_cloud.programs.execution_role import TRUST
from tools.endpoint import ROOT, endpoint

from .catalogue import FILE, Catalogue, Suite, load
from .outcomes import NOT_AT_HAND, OUT_OF_SCOPE, Row, of_file, out_of_scope
from .page import read, text

PAGE = ROOT / "docs" / "programs.md"
PYTHONS = {"sdk2": ROOT / ".venv/sdk2/bin/python", "sdk3": Path(sys.executable)}
IMAGE = Path(__file__).with_name("image")


def run(suite: Suite, checkouts: Path | None, earlier: list[Row], environment: Mapping[str, str]) -> list[Row]:
    """The rows of what is in scope of a suite: new ones of the files that are there, else the earlier ones."""
    if checkouts is None:
        return [row for file in suite.in_scope() for row in rows_before(file, earlier)]
    folder, python = checkouts / suite.repository / suite.folder, PYTHONS[suite.environment]
    today = datetime.now(UTC).date().isoformat()
    rows: list[Row] = []
    for file in suite.in_scope():
        if not (folder / file).is_file() or not python.exists():
            rows += rows_before(file, earlier)
            continue
        with tempfile.TemporaryDirectory() as scratch:
            variables = {**environment, "PUBLIC_SUITES_REPORT": str(Path(scratch, "report"))}
            words = [str(python), "-m", "pytest", "-q"]
            rows += [replace(row, day=today) for row in of_file(file, suite, folder, words, variables)]
        sys.stderr.write(f"{suite.name}: {file}\n")
    return rows


def rows_before(file: str, earlier: list[Row]) -> list[Row]:
    """What the page has of a file."""
    of_file = [row for row in earlier if row.test == file or row.test.startswith(f"{file}::")]
    return [row for row in of_file if row.outcome != OUT_OF_SCOPE] or [Row(file, NOT_AT_HAND)]


def all_rows(catalogue: Catalogue, given: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, list[Row]]:
    """The rows of each suite by its name."""
    earlier = read(given.out.read_text(encoding="utf-8")) if given.out.exists() else {}
    names = given.only or [suite.name for suite in catalogue.suites]
    at_hand = dict.fromkeys(names, given.suites.resolve())
    return {
        suite.name: [
            *run(suite, at_hand.get(suite.name), earlier.get(suite.name, []), environment),
            *out_of_scope(suite, catalogue),
        ]
        for suite in catalogue.suites
    }


def make_role(name: str, environment: Mapping[str, str]) -> None:
    """Make the role that suites expect at the endpoint, unless it is there."""
    iam = boto3.client(
        "iam",
        region_name=REGION,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
    )
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": TRUST}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--suites", type=Path, required=True, help="a folder of checkouts, each named by its repository"
    )
    parser.add_argument("--only", action="append", metavar="SUITE", help="no other suite: may be given several times")
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--catalogue", type=Path, default=FILE, help=argparse.SUPPRESS)
    given = parser.parse_args()
    catalogue = load(given.catalogue)
    if unknown := set(given.only or []) - {suite.name for suite in catalogue.suites}:
        parser.error(f"no suite is named {', '.join(sorted(unknown))}: see {given.catalogue}")
    images = dict.fromkeys(catalogue.images, IMAGE)
    with tempfile.TemporaryDirectory() as scratch, endpoint(Path(scratch), images) as environment:
        if catalogue.role:
            make_role(catalogue.role, environment)
        rows = all_rows(catalogue, given, {**environment, **catalogue.variables, "PYTHONDONTWRITEBYTECODE": "1"})
    written = given.out.with_suffix(".new")
    written.write_text(text(rows, catalogue.suites), encoding="utf-8")
    written.replace(given.out)


if __name__ == "__main__":
    main()
