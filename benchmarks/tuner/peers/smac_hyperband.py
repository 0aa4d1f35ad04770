"""SMAC3's MultiFidelityFacade with its defaults: Hyperband, whose suggestions have a number of epochs."""

import logging
from typing import Any

from smac import MultiFidelityFacade
from smac.facade.abstract_facade import AbstractFacade
from smac.main.exceptions import ConfigurationSpaceExhaustedException

from .serve import Begin, serve
from .smac import Smac, _never_called

EPOCHS = 27


class SmacHyperband(Smac):
    """Suggests `epochs` beside the values: from 1 to EPOCHS; nothing once it has begun all combinations."""

    def facade(self, begin: Begin) -> AbstractFacade:
        scenario = self.scenario(begin, min_budget=1, max_budget=EPOCHS)
        return MultiFidelityFacade(scenario, _never_called, logging_level=logging.ERROR)

    def ask(self, count: int) -> list[dict[str, Any]]:
        try:
            values = super().ask(count)
        except ConfigurationSpaceExhaustedException:
            return []
        return [
            {**item, "epochs": round(info.budget or EPOCHS)} for item, info in zip(values, self._asked, strict=True)
        ]


if __name__ == "__main__":
    serve(SmacHyperband)
