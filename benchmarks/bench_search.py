"""Measures what searching the heads' hyperparameters is worth, on unlike data sets.

python -m benchmarks.bench_search --images FOLDER --out docs/bench-search.md
"""

import argparse
import logging
from pathlib import Path

from .search import campaign, data_sets, prepared, report


def main() -> None:
    """Continues an interrupted run from its record; other ranges in the code make other searches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="photographs of seedlings, one sub-folder per label")
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    parser.add_argument("--work", type=Path, default=Path(".seedbed/bench-search"), help="a folder for what is made")
    parser.add_argument("--seeds", type=int, default=5, help="searches of each kind")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--data", nargs="*", choices=data_sets.MAKERS, default=list(data_sets.MAKERS))
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    chosen = campaign.available(given.images, given.data)
    for name in chosen:
        images = data_sets.images_of(name, given.images or Path("none"), given.work)
        prepared.prepare(given.work / name, images)
    if {data_sets.FEW_NAME, data_sets.WHOLE_NAME} <= set(chosen):
        prepared.widen_test(given.work / data_sets.FEW_NAME, given.work / data_sets.WHOLE_NAME)
    results = campaign.run(given.work / "searches.jsonl", given.work, chosen, given.seeds, given.processes)
    given.out.write_text(report.page(results, chosen), encoding="utf-8")


if __name__ == "__main__":
    main()
