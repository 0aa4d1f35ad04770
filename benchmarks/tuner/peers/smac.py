"""SMAC3's HyperparameterOptimizationFacade with its defaults."""

import logging
import tempfile
from typing import Any

from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer
from smac import HyperparameterOptimizationFacade, Scenario
from smac.facade.abstract_facade import AbstractFacade
from smac.runhistory import StatusType, TrialInfo, TrialValue

from .serve import Begin, Span, serve


class Smac:
    """It is given the scores' negatives, which it minimizes; a failed trial costs as much as the worst one so far.

    Its own cost of a failed trial, infinity, ends in an error of its forest.
    """

    def __init__(self, begin: Begin) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._facade = self.facade(begin)
        self._costs: list[float] = []
        self._failed: list[TrialInfo] = []

    def facade(self, begin: Begin) -> AbstractFacade:
        return HyperparameterOptimizationFacade(self.scenario(begin), _never_called, logging_level=logging.ERROR)

    def scenario(self, begin: Begin, **more: Any) -> Scenario:
        space = ConfigurationSpace(seed=begin.seed)
        space.add([_parameter(span) for span in begin.spans])
        return Scenario(
            space,
            deterministic=not begin.noisy,
            n_trials=begin.trials,
            seed=begin.seed,
            output_directory=self._folder.name,
            **more,
        )

    def ask(self, count: int) -> list[dict[str, Any]]:
        self._asked = [self._facade.ask() for _ in range(count)]
        return [dict(info.config) for info in self._asked]

    def tell(self, scores: list[float | None]) -> None:
        for info, score in zip(self._asked, scores, strict=True):
            if score is None:
                self._failed.append(info)
            else:
                self._costs.append(-score)
                self._facade.tell(info, TrialValue(cost=-score), save=False)
        while self._failed and self._costs:
            crashed = TrialValue(cost=max(self._costs), status=StatusType.CRASHED)
            self._facade.tell(self._failed.pop(), crashed, save=False)


def _parameter(span: Span) -> Any:
    if span.kind == "categorical":
        return Categorical(span.name, span.choices)
    if span.kind == "integer":
        return Integer(span.name, (int(span.low), int(span.high)), log=span.log)
    return Float(span.name, (span.low, span.high), log=span.log)


def _never_called(config: Any, seed: int = 0, budget: float | None = None) -> float:
    raise NotImplementedError("the benchmark asks and tells")


if __name__ == "__main__":
    serve(Smac)
