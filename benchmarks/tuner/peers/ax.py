"""Ax's Client, with BoTorch beneath it and its defaults."""

import logging
from typing import Any

import torch
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

from .serve import Begin, Span, serve


class Ax:
    """One experiment; a failed trial is marked so."""

    def __init__(self, begin: Begin) -> None:
        torch.manual_seed(begin.seed)
        self._client = Client(random_seed=begin.seed)
        self._client.configure_experiment(parameters=[_parameter(span) for span in begin.spans])
        self._client.configure_optimization(objective="score")

    def ask(self, count: int) -> list[dict[str, Any]]:
        asked: dict[int, dict[str, Any]] = {}
        while len(asked) < count:
            more = self._client.get_next_trials(max_trials=count - len(asked))
            if not more:
                raise RuntimeError("Ax has no more suggestions")
            asked.update(more)
        self._asked = list(asked)
        return list(asked.values())

    def tell(self, scores: list[float | None]) -> None:
        for index, score in zip(self._asked, scores, strict=True):
            if score is None:
                self._client.mark_trial_failed(index)
            else:
                self._client.complete_trial(trial_index=index, raw_data={"score": score})


def _parameter(span: Span) -> Any:
    if span.kind == "categorical":
        return ChoiceParameterConfig(name=span.name, values=span.choices, parameter_type="str", is_ordered=False)
    return RangeParameterConfig(
        name=span.name,
        parameter_type="int" if span.kind == "integer" else "float",
        bounds=(span.low, span.high),
        scaling="log" if span.log else "linear",
    )


if __name__ == "__main__":
    logging.disable(logging.INFO)
    serve(Ax)
