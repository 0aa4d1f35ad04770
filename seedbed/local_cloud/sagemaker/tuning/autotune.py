"""Autotune: ranges around example values, and values for settings that the request leaves out.

AWS documents only the names of the fields, not what AMT chooses; the choices here are this endpoint's own.
"""

import re
from collections.abc import Mapping
from typing import Any

from ..errors import Invalid
from ..kinds import Body
from ..search.hyperband import EPOCHS
from ..search.ranges import read_ranges
from ..search.strategies import combinations
from .limits import MAX_JOBS_DEFAULT

LISTS = {"continuous": "ContinuousParameterRanges", "integer": "IntegerParameterRanges"}
SPAN = 10.0
INTEGER_SPAN = 4
BASE_JOBS = 20
JOBS_PER_RANGE = 10
RETRIES = 3
SWITCHES = [["true", "false"], ["True", "False"], ["TRUE", "FALSE"], ["yes", "no"], ["on", "off"]]


def fill(request: Body) -> None:
    """Fills in a request with Autotune, in place. Raises Invalid.

    Each of the AutoParameters becomes a range, or a static hyperparameter if its ValueHint suggests no range. By
    default early stopping is Auto if the strategy allows it, convergence ends the tuning job, and a training job is
    retried three times.
    """
    if "Autotune" not in request:
        return
    config = request["HyperParameterTuningJobConfig"]
    several = "TrainingJobDefinitions" in request
    definitions = request["TrainingJobDefinitions"] if several else [request.get("TrainingJobDefinition", {})]
    choices = 0.0
    number = 0
    for body in definitions:
        own = several or "HyperParameterRanges" in body
        holder, field = (body, "HyperParameterRanges") if own else (config, "ParameterRanges")
        _fill_ranges(holder.setdefault(field, {}), body, config["Strategy"])
        body.setdefault("RetryStrategy", {"MaximumRetryAttempts": RETRIES})
        found = read_ranges(holder[field])
        choices += combinations(found)
        number += len(found)
    if config["Strategy"] != "Grid":
        limits = config["ResourceLimits"]
        jobs = max(limits["MaxParallelTrainingJobs"], BASE_JOBS + JOBS_PER_RANGE * number)
        limits.setdefault("MaxNumberOfTrainingJobs", int(min(MAX_JOBS_DEFAULT, jobs, choices)))
    if config["Strategy"] != "Hyperband" and not several:
        config.setdefault("TrainingJobEarlyStoppingType", "Auto")
    criteria = config.setdefault("TuningJobCompletionCriteria", {})
    criteria.setdefault("ConvergenceDetected", {"CompleteOnConvergence": "Enabled"})


def _fill_ranges(ranges: Body, body: Body, strategy: str) -> None:
    for parameter in ranges.pop("AutoParameters", []):
        name, hint = parameter["Name"], parameter["ValueHint"]
        found = None if strategy == "Hyperband" and name in EPOCHS else range_around(hint)
        if found is None:
            static = body.setdefault("StaticHyperParameters", {})
            if name in static:
                raise Invalid(f"The hyperparameter '{name}' can't be in AutoParameters and StaticHyperParameters.")
            static[name] = hint
        elif isinstance(found, list):
            ranges.setdefault("CategoricalParameterRanges", []).append({"Name": name, "Values": found})
        elif strategy == "Grid":
            raise Invalid(f"The Grid strategy takes categorical ranges only: AutoParameters can't have '{name}'.")
        else:
            kind, low, high, scaling = found
            item: Mapping[str, Any] = {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}
            ranges.setdefault(LISTS[kind], []).append(item)


def range_around(hint: str) -> list[str] | tuple[str, str, str, str] | None:
    """Where to search around a sensible value: categories, or (kind, lowest, highest, scaling).

    A whole number's range goes from a quarter of it to four times it, another number's from a tenth to ten times. A
    number between 0.1 and 0.9, such as a dropout rate, stays within 0 and 1; of one close to 1, such as a momentum, the
    distance to 1 varies by those factors. None for other text.
    """
    for values in SWITCHES:
        if hint in values:
            return values
    if re.fullmatch(r"[+-]?[0-9]{1,15}", hint):
        return _around_integer(int(hint))
    try:
        value = float(hint)
    except ValueError:
        return None
    return _around_fraction(value) if abs(value) < 1e100 else None


def _around_integer(value: int) -> tuple[str, str, str, str]:
    if value > 0:
        return "integer", str(max(1, value // INTEGER_SPAN)), str(value * INTEGER_SPAN), "Logarithmic"
    if value == 0:
        return "integer", "0", str(INTEGER_SPAN), "Linear"
    return "integer", str(value * INTEGER_SPAN), str(min(-1, -(-value // INTEGER_SPAN))), "Linear"


def _around_fraction(value: float) -> tuple[str, str, str, str]:
    if value == 0:
        return "continuous", "0.0", "1.0", "Linear"
    if value < 0:
        return "continuous", repr(value * SPAN), repr(value / SPAN), "Linear"
    if 0.1 < value < 0.9:
        return "continuous", repr(value / 2), repr(min(2 * value, (1 + value) / 2)), "Linear"
    if 0.9 <= value < 1:
        rest = 1 - value
        return "continuous", repr(max(0.0, 1 - SPAN * rest)), repr(1 - rest / SPAN), "ReverseLogarithmic"
    return "continuous", repr(value / SPAN), repr(value * SPAN), "Logarithmic"
