"""Compares the endpoint's searches with other libraries' on recorded tables and curves, and on test functions.

python -m benchmarks.bench_tuner --out docs/bench-tuner.md
"""

import argparse
import logging
from pathlib import Path

from .tuner import campaign, report


def main() -> None:
    """Continues an interrupted run from its record; delete the record of another version first.

    Other versions of slow peers, or other problems, also need KEPT deleted.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    parser.add_argument(
        "--record", type=Path, default=Path(".seedbed/bench-tuner.jsonl"), help="the file with finished searches"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="keep the slow contestants' searches with the project")
    parser.add_argument("--quick", action="store_true", help="a few problems and two seeds: a smoke test")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    plan = campaign.QUICK if given.quick else campaign.FULL
    given.record.parent.mkdir(parents=True, exist_ok=True)
    results = campaign.run(given.record, plan, given.processes)
    if given.keep:
        campaign.keep(results)
    given.out.write_text(report.page(results, plan))


if __name__ == "__main__":
    main()
