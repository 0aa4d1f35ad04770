"""What a run is expected to cost under a template's parameters, by the functions' own code in a process of its own."""

import json
from collections.abc import Mapping
from typing import Any

from .bound import asked
from .template import TemplateFile

ASK = """
import json, sys
from dataclasses import asdict
sys.path.insert(0, sys.argv[1])
from job_manager.domain.costs.expectation import expectation
from job_manager.domain.costs.prices import PRICES, PRICES_DATE, PRICES_REGION
from job_manager.settings import settings
expected = expectation(settings().plan, int(sys.argv[2]))
total = {"usd": asdict(expected.usd), "seconds": asdict(expected.seconds)}
listed = {"prices": dict(PRICES), "prices_date": PRICES_DATE, "prices_region": PRICES_REGION}
print(json.dumps({**asdict(expected), **total, **listed}))
"""


def expected_cost(template: TemplateFile, values: Mapping[str, str], images: int) -> dict[str, Any]:
    """The expectation of a run of so many images by stage, with the list prices; times in seconds, costs in dollars."""
    expected: dict[str, Any] = json.loads(asked(ASK, template, values, str(images)))
    return expected
