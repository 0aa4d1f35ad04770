"""A person's request for a run now, of what is in the bucket, with choices that differ from the stack's parameters."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from .plan import FineTuning, Plan


class PlanName(StrEnum):
    """`quick` trains classifier heads only; `full` also fine-tunes the network, in every format."""

    QUICK = "quick"
    FULL = "full"


QUICK_VIEWS, QUICK_CHANGED_IMAGES, QUICK_EXPORTS = 2, 100, ("onnx",)
FULL_VIEWS, FULL_CHANGED_IMAGES, FULL_FINE_TUNE_TRIALS = 8, 300, 2
FULL_EXPORTS = ("saved_model", "litert", "litert_int8", "onnx")


@dataclass(frozen=True)
class RunRequest:
    """A request for one run. `plan` and `trials` are None where the stack's parameters decide.

    `again` has the images trained on once more even if a run with this plan had them. `fine_tuning` is how the full
    plan trains the whole network if the stack's own plan doesn't. Two requests with the same `request_id` are one.
    """

    request_id: str
    asked_at: datetime
    plan: PlanName | None = None
    trials: int | None = None
    again: bool = False
    fine_tuning: FineTuning | None = None

    def asks_the_same(self, other: "RunRequest") -> bool:
        """Whether the other request asks for the same run."""
        return (self.plan, self.trials, self.again) == (other.plan, other.trials, other.again)

    def applied_to(self, plan: Plan) -> Plan:
        """The stack's plan with this request's choices."""
        if self.trials is not None:
            plan = replace(plan, trials=self.trials)
        if self.plan is PlanName.QUICK:
            return replace(
                plan,
                fine_tuning=None,
                evaluation_views=QUICK_VIEWS,
                changed_images=QUICK_CHANGED_IMAGES,
                exports=QUICK_EXPORTS,
            )
        if self.plan is PlanName.FULL:
            return replace(
                plan,
                fine_tuning=plan.fine_tuning or self._fine_tuning(plan),
                evaluation_views=FULL_VIEWS,
                changed_images=FULL_CHANGED_IMAGES,
                exports=FULL_EXPORTS,
            )
        return plan

    def _fine_tuning(self, plan: Plan) -> FineTuning | None:
        """The request's own fine-tuning, with the search space that the plan has for it."""
        own, space = self.fine_tuning, plan.fine_tuning_search_space
        return replace(own, search_space=space) if own and space else own


def planned(plan: Plan, request: RunRequest | None) -> Plan:
    """The plan of a run: the stack's, with the choices of the request, if it was requested."""
    return request.applied_to(plan) if request else plan
