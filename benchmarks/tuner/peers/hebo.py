"""HEBO with its defaults."""

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
from hebo.design_space.design_space import DesignSpace
from hebo.optimizers.hebo import HEBO

from .serve import Begin, Span, serve


class Hebo:
    """It is given the scores' negatives, which it minimizes, and drops failed trials."""

    def __init__(self, begin: Begin) -> None:
        np.random.seed(begin.seed)  # HEBO draws from it
        torch.manual_seed(begin.seed)
        self._search = HEBO(DesignSpace().parse([_parameter(span) for span in begin.spans]), scramble_seed=begin.seed)

    def ask(self, count: int) -> list[dict[str, Any]]:
        self._asked: pd.DataFrame = self._search.suggest(count)
        return [dict(row) for row in self._asked.to_dict(orient="records")]

    def tell(self, scores: list[float | None]) -> None:
        losses = [math.nan if score is None else -score for score in scores]
        self._search.observe(self._asked, np.array(losses).reshape(-1, 1))


def _parameter(span: Span) -> dict[str, Any]:
    if span.kind == "categorical":
        return {"name": span.name, "type": "cat", "categories": span.choices}
    kind = {("continuous", False): "num", ("continuous", True): "pow", ("integer", False): "int"}
    return {"name": span.name, "type": kind.get((span.kind, span.log), "pow_int"), "lb": span.low, "ub": span.high}


if __name__ == "__main__":
    serve(Hebo)
