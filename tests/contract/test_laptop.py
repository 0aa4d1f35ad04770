"""What a laptop changes of the template's parameters, and its two plans."""

import re

import pytest

from job_manager.domain import run_request
from seedbed.commands.demo import PROCEDURAL
from seedbed.local_cloud.parameters import LAPTOP, PARAMETERS, PlanName, parameters
from tests.contract.template import Template

KNOWN = Template().parameters
CHANGES = {"laptop": LAPTOP, "drawn seedlings": PROCEDURAL, **{plan.value: PARAMETERS[plan] for plan in PlanName}}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_laptop_parameters_exist_and_are_within_their_bounds(changes: dict[str, str]) -> None:
    for name, value in changes.items():
        rules = KNOWN[name]
        assert re.fullmatch(rules.get("AllowedPattern", ".*"), value)
        assert value in map(str, rules.get("AllowedValues", [value]))
        if rules["Type"] == "Number":
            assert rules.get("MinValue", 0) <= float(value) <= rules.get("MaxValue", float(value))


def test_a_laptop_pays_nothing() -> None:
    assert {name for name in KNOWN if name.endswith("PricePerHour")} <= {n for n, v in LAPTOP.items() if v == "0"}


def test_a_laptop_uses_the_quick_plan_unless_asked_for_the_full_one() -> None:
    assert PARAMETERS[PlanName.quick].items() <= LAPTOP.items()
    assert PARAMETERS[PlanName.quick]["FineTuneTrials"] == "0"
    assert PARAMETERS[PlanName.quick]["Exports"] == "onnx"
    assert PARAMETERS[PlanName.quick].keys() == PARAMETERS[PlanName.full].keys()
    assert PARAMETERS[PlanName.full]["Exports"] == KNOWN["Exports"]["Default"]
    assert int(PARAMETERS[PlanName.full]["FineTuneTrials"]) > 0


def test_a_requested_plan_is_that_of_a_laptop_by_the_same_name() -> None:
    for name, of in {PlanName.quick: "QUICK", PlanName.full: "FULL"}.items():
        views, images, exports = (
            getattr(run_request, f"{of}_{part}") for part in ("VIEWS", "CHANGED_IMAGES", "EXPORTS")
        )
        trials = run_request.FULL_FINE_TUNE_TRIALS if name is PlanName.full else 0
        assert run_request.PlanName(name.value).name == of
        assert PARAMETERS[name] == {
            "FineTuneTrials": str(trials),
            "Exports": ",".join(exports),
            "EvaluationViews": str(views),
            "ChangedImages": str(images),
        }


def test_the_trial_count_can_be_chosen_for_either_plan() -> None:
    assert parameters(PlanName.full, 3) == {**PARAMETERS[PlanName.full], "TrialCount": "3"}
    assert "TrialCount" not in parameters(PlanName.quick, None)
