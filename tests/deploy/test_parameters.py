"""The template's parameters as a person gives them, and what they cost."""

import msgspec
import pytest

from job_manager.domain import cost
from job_manager.domain.scale import for_images
from job_manager.settings import Settings
from seedbed.bundle import TEMPLATE
from seedbed.deploy import parameters
from seedbed.deploy.bound import check_budgets, upper_bound
from seedbed.deploy.template import TemplateFile
from seedbed.errors import SeedbedError, WrongUse

KNOWN = TemplateFile(TEMPLATE)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"TrialCount": "40", "ParallelTrials": "8", "TrialTimeLimitSeconds": "300"},
        {"FineTuneTrials": "0"},
        {"ProcessingPricePerHour": "1.5"},
    ],
    ids=str,
)
def test_the_bound_before_deploying_is_the_functions_own(changes: dict[str, str]) -> None:
    values = {**KNOWN.defaults, **changes}
    settings = msgspec.convert(KNOWN.environment(values), Settings, strict=False)

    assert upper_bound(KNOWN, values) == pytest.approx(cost.upper_bound(for_images(settings.plan, 0)))


def test_the_templates_defaults_keep_to_their_budgets() -> None:
    assert check_budgets(KNOWN, KNOWN.defaults) > 0


@pytest.mark.parametrize(
    ("name", "said"), [("RunBudget", "--budget "), ("MonthlyBudget", "--set MonthlyBudget=")], ids=["run", "month"]
)
def test_a_budget_below_the_bound_says_how_to_raise_it(name: str, said: str) -> None:
    with pytest.raises(SeedbedError, match=rf"could cost up to \$\d+\.\d\d, .* {said}\d+\.\d\d, or have fewer trials"):
        check_budgets(KNOWN, {**KNOWN.defaults, name: "0.1"})


def test_the_least_budget_that_is_named_is_enough() -> None:
    bound = upper_bound(KNOWN, KNOWN.defaults)
    with pytest.raises(SeedbedError) as refused:
        check_budgets(KNOWN, {**KNOWN.defaults, "RunBudget": "0"})
    least = str(refused.value).split("--budget ")[1].split(",", maxsplit=1)[0]

    assert check_budgets(KNOWN, {**KNOWN.defaults, "RunBudget": least}) == bound


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Trialcount", "4", "The template has no parameter Trialcount. Did you mean TrialCount?"),
        ("", "4", "The template has no parameter without a name."),
        ("TrialCount", "many", "TrialCount can't be many: it must be a number from 1 up to 750."),
        ("TrialCount", "", "TrialCount can't be empty: it must be a number from 1 up to 750."),
        ("TrialCount", "0", "a number from 1 up to 750"),
        ("RunBudget", "-1", "RunBudget can't be -1: it must be a number from 0."),
        ("RunBudget", "nan", "a number from 0"),
        ("EvaluationViews", "3", "one of 1, 2, 4, 8"),
        ("Strategy", "bayesian", "one of Bayesian, Random"),
        ("Exports", "onnx, litert", "written like"),
    ],
)
def test_a_parameter_that_the_template_refuses_is_refused_here(name: str, value: str, said: str) -> None:
    with pytest.raises(WrongUse) as refused:
        parameters.check({name: value}, KNOWN.parameters)

    assert said in str(refused.value)


def test_the_templates_defaults_are_within_their_rules() -> None:
    parameters.check(KNOWN.defaults, KNOWN.parameters)


def test_sams_guide_asks_first_for_what_matters() -> None:
    assert list(KNOWN.parameters)[:3] == ["NotificationEmail", "RunBudget", "MonthlyBudget"]


@pytest.mark.parametrize("address", ["me@example.org", "first.last+seeds@mail.example.co.uk"])
def test_an_address_is_taken(address: str) -> None:
    parameters.check_email(address)


@pytest.mark.parametrize(
    "address", ["", "me", "me@", "@example.org", "me@example", "a b@example.org", "me@example.org\n"]
)
def test_a_spoiled_address_is_refused(address: str) -> None:
    with pytest.raises(WrongUse, match=r"--email you@example\.com"):
        parameters.check_email(address)


def test_what_a_person_chose_outlasts_a_new_default() -> None:
    deployed = {"TrialCount": "5", "ImageSize": "288", "Gone": "1"}
    chosen = parameters.chosen_before(deployed, {"TrialCount": "20", "ImageSize": "288", "Gone": "2"})

    assert parameters.merged({"RunBudget": "3"}, chosen, {"TrialCount": "30", "ImageSize": "224"}) == {
        "TrialCount": "5",
        "ImageSize": "224",
        "RunBudget": "3",
    }


@pytest.mark.parametrize("words", [["TrialCount"], ["A=1", "b"]])
def test_a_setting_without_a_value_is_refused(words: list[str]) -> None:
    with pytest.raises(WrongUse, match="--set takes NAME=VALUE"):
        parameters.settings_of(words)


def test_a_setting_may_hold_an_equals_sign() -> None:
    assert parameters.settings_of(["Exports=", "Weights=a=b"]) == {"Exports": "", "Weights": "a=b"}
