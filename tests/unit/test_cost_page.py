"""The page about costs says what the model says."""

from benchmarks.cost_page import GOAL_IMAGES, page, plan_with
from job_manager.domain.cost import upper_bound
from job_manager.domain.costs.assumptions import ASSUMPTIONS
from job_manager.domain.costs.prices import PRICES, PRICES_DATE
from job_manager.domain.scale import for_images
from tests.contract.template import ROOT


def test_the_page_is_as_the_model_and_the_template_are_now() -> None:
    written = (ROOT / "docs/cost.md").read_text(encoding="utf-8")

    assert written == "".join(page()), "Write it again with: make cost-page"


def test_every_assumption_and_price_is_on_the_page() -> None:
    text = "".join(page())

    assert all(f"| {assumption.meaning} |" in text for assumption in ASSUMPTIONS)
    assert all(f"| {instance} | {price} |" in text for instance, price in PRICES.items())
    assert PRICES_DATE in text


def test_the_templates_prices_are_the_lists() -> None:
    plan = plan_with({})
    machines = [plan.training, plan.processing, *([plan.fine_tuning.machine] if plan.fine_tuning else [])]

    assert {machine.instance_type: machine.price_per_hour for machine in machines}.items() <= PRICES.items()


def test_the_readme_has_the_bound_of_a_run() -> None:
    bound = upper_bound(for_images(plan_with({}), GOAL_IMAGES))

    assert f"costs at most US$ {bound:.2f} at the list prices of us-east-1" in (ROOT / "README.md").read_text(
        encoding="utf-8"
    )
