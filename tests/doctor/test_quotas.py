"""What a run needs of SageMaker's quotas, beside what the account has."""

import boto3
import msgspec
import pytest

from job_manager.settings import Settings
from seedbed.doctor.finding import State
from seedbed.doctor.plan import ACROSS, PARALLEL, Need, defaults, needs
from seedbed.doctor.quotas import Quota, compare, compared, key, known_quotas, requested
from tests.contract.template import Template
from tests.doctor.service_quotas import Account, code, service_quotas

M5, C5 = "ml.m5.large for training job usage", "ml.c5.2xlarge for training job usage"
HEADS = Need(M5, 4, "ParallelTrials", ("ml.m5.xlarge for training job usage",))


def wanted(**changes: str) -> dict[str, int]:
    return {need.quota: need.wanted for need in needs({**defaults(), **changes})}


def test_the_defaults_are_those_of_the_template() -> None:
    assert defaults() == {name: str(each["Default"]) for name, each in Template().parameters.items()}


def test_a_run_needs_what_its_plan_says() -> None:
    names = {
        "Table": "runs",
        "Topic": "topic",
        "EventTopic": "events",
        "SettleQueue": "settle",
        "Bucket": "bucket",
        "Api": "api",
    }
    template = Template(physical=names, attributes={("TrainingRole", "Arn"): "role"})
    plan = msgspec.convert(template.environment, Settings, strict=False).plan
    assert plan.fine_tuning

    assert wanted(UseSpot="false") == {
        f"{plan.training.instance_type} for training job usage": plan.parallel_trials,
        f"{plan.fine_tuning.machine.instance_type} for training job usage": plan.fine_tuning.parallel_trials,
        f"{plan.processing.instance_type} for processing job usage": 1,
        ACROSS.format("training job"): max(plan.parallel_trials, plan.fine_tuning.parallel_trials),
        PARALLEL: max(plan.parallel_trials, plan.fine_tuning.parallel_trials),
    }


@pytest.mark.parametrize(
    ("changes", "quota", "count"),
    [
        ({"TrialCount": "3", "ParallelTrials": "8"}, M5, 3),
        ({"TrialCount": "20", "HeadsPerJob": "10", "ParallelTrials": "8"}, M5, 2),
        ({"FineTuneInstanceType": "ml.m5.large", "FineTuneTrials": "9", "FineTuneParallelTrials": "9"}, M5, 9),
        ({"FineTuneTrials": "1", "FineTuneParallelTrials": "2"}, C5, 1),
        ({"UseSpot": "true"}, "ml.c5.2xlarge for spot training job usage", 2),
        ({"PrepareInstances": "7"}, "ml.m5.xlarge for processing job usage", 7),
        ({"UseSpot": "true", "HeadsPerJob": "1"}, "Number of instances across all spot training jobs", 4),
    ],
)
def test_stages_run_one_after_the_other(changes: dict[str, str], quota: str, count: int) -> None:
    plain = {"TrialCount": "20", "HeadsPerJob": "1", "ParallelTrials": "4", "TrainingInstanceType": "ml.m5.large"}
    networks = {"FineTuneTrials": "2", "FineTuneParallelTrials": "2", "FineTuneInstanceType": "ml.c5.2xlarge"}

    assert wanted(**{**plain, **networks, "UseSpot": "false", **changes})[quota] == count


def test_without_fine_tuning_its_machine_is_not_needed() -> None:
    assert C5 not in wanted(FineTuneTrials="0", FineTuneInstanceType="ml.c5.2xlarge", UseSpot="false")


@pytest.mark.parametrize(
    ("quotas", "asked", "state", "next_step"),
    [
        ({M5: 4}, {}, State.ok, ""),
        ({M5: 0}, {}, State.failed, "Ask for more: https://"),
        ({M5: 2}, {}, State.failed, "Ask for more, or lower ParallelTrials: https://"),
        ({M5: 0}, {M5: 8}, State.failed, "AWS is considering your request for 8"),
        ({M5: 0}, {M5: 1}, State.failed, "Ask for more: https://"),
        ({M5: 0, HEADS.others[0]: 4}, {}, State.ok, ""),
        ({}, {}, State.warning, "Look for it at https://"),
    ],
)
def test_a_quota_is_as_large_as_a_run_needs_or_can_be_raised(
    quotas: dict[str, int], asked: dict[str, float], state: State, next_step: str
) -> None:
    known = {key(name): Quota(code(name), value) for name, value in quotas.items()}

    found = compare(HEADS, known, {code(name): value for name, value in asked.items()}, "eu-west-1")

    assert found.state is state
    assert found.next_step.startswith(next_step) if next_step else not found.next_step


@pytest.mark.parametrize(("wanted", "state"), [(10, State.ok), (11, State.warning)])
def test_a_quota_that_aws_does_not_list_has_its_documented_default(wanted: int, state: State) -> None:
    needed = [Need(PARALLEL, wanted, usual=10), Need(ACROSS.format("training job"), wanted, certain=False)]

    (found,) = compared(needed, {}, {}, "us-east-1")

    assert found.state is state


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("eu-west-1", "console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_link_is_the_quotas_own_in_its_region(region: str, console: str) -> None:
    found = compare(HEADS, {key(M5): Quota("L-611FA074", 0)}, {}, region)

    assert f"https://{region}.{console}/servicequotas/home/services/sagemaker/quotas/L-611FA074" in found.next_step


@pytest.mark.parametrize(
    ("said", "listed"),
    [
        (PARALLEL, "Number of parallel training jobs per hyperparameter tuning job"),
        (PARALLEL, "Maximum number of concurrent training jobs per HPO tuning job"),
        (ACROSS.format("spot training job"), "Total number of instances across spot training jobs"),
    ],
)
def test_a_quota_is_found_however_aws_spells_it(said: str, listed: str) -> None:
    assert key(said) == key(listed)
    assert key(ACROSS.format("training job")) != key(ACROSS.format("spot training job"))


def test_all_pages_of_quotas_are_read_and_defaults_fill_what_is_not_applied() -> None:
    account = Account({f"other {number}": 1.0 for number in range(4)} | {M5: 8}, {M5: 0, C5: 1}, {C5: 4})
    with service_quotas(account) as url:
        client = boto3.client("service-quotas", "us-east-1", endpoint_url=url)

        assert known_quotas(client, [HEADS])[key(M5)] == Quota(code(M5), 8)
        assert set(account.calls) == {"ListServiceQuotas"}
        known = known_quotas(client, [HEADS, Need(C5, 2)])
        assert (known[key(M5)].value, known[key(C5)].value) == (8, 1)
        assert requested(client) == {code(C5): 4}
