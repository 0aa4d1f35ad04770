"""List prices of SageMaker's instances for training and processing, and their sizes."""

import re
from collections.abc import Mapping

PRICES_DATE = "2026-11-26"
PRICES_REGION = "us-east-1"
"""Prices differ between regions and change: AWS's pages on SageMaker's pricing have today's."""

PRICES: Mapping[str, float] = {
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.c5.4xlarge": 0.816,
}
"""US dollars per hour on demand, as public price lists agreed on that date."""

SIZE = re.compile(r"\.(?:(\d*)x)?large$")


def vcpus(instance_type: str) -> int:
    """How many virtual processors an instance has by the size in its name; 2 if the name has none of those sizes."""
    size = SIZE.search(instance_type)
    if size is None or size[1] is None:
        return 2
    return 4 * int(size[1] or 1)
