"""The training container and the job manager share no code: here they are held to what they share."""

import re
from dataclasses import asdict, fields, replace
from typing import Any

import pytest

from job_manager.aws.sagemaker_requests import JobRequests
from job_manager.domain import layout
from job_manager.domain.search_space import FIXED_HYPERPARAMETERS, METRICS, OBJECTIVE_METRIC, SEARCH_SPACE
from tests.contract.template import ROOT, Template
from tests.fakes.world import PLAN, a_run
from trainer.__main__ import _parser
from trainer.hyperparameters import Hyperparameters, parse_hyperparameters

CONTRACTS = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"`(epoch \d+/\d+ - .*;)`", CONTRACTS)
REQUESTS = JobRequests("bucket", "role")
TEMPLATE = Template()
RUN_ID, TRIAL = "<run_id>", "<training job>"
KEYS = [
    layout.snapshot,
    layout.manifest,
    layout.features,
    layout.test_split,
    layout.dataset_report,
    layout.scores,
    layout.model,
    layout.notified,
]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """A line of the log as the contract has it, and as the trainer writes it."""
    from trainer.train import EpochMetrics  # noqa: PLC0415 - it loads TensorFlow: only for who asks for these lines

    assert EXAMPLE is not None
    metrics = EpochMetrics(train_loss=0.4102, train_accuracy=0.8811, validation_loss=0.523, validation_accuracy=0.8402)
    return [EXAMPLE.group(1), f"epoch 3/40 - {metrics}", f"best epoch 31 - {metrics}"]


def definitions() -> dict[str, str]:
    algorithm = REQUESTS.tuning(a_run())["TrainingJobDefinition"]["AlgorithmSpecification"]
    return {found["Name"]: found["Regex"] for found in algorithm["MetricDefinitions"]}


def test_every_metric_is_found_in_the_trainers_line_and_is_its_own(lines: list[str]) -> None:
    expected = {
        "train_loss": "0.4102",
        "train_accuracy": "0.8811",
        "validation_loss": "0.5230",
        "validation_accuracy": "0.8402",
    }

    for line in lines:
        assert {name: re.findall(regex, line) for name, regex in definitions().items()} == {
            name: [value] for name, value in expected.items()
        }


def test_the_objective_is_one_of_the_metrics_and_they_are_the_contracts() -> None:
    assert OBJECTIVE_METRIC in METRICS
    for name, regex in definitions().items():
        assert re.search(rf"\| `{name}`.*\| `{re.escape(regex)}` \|", CONTRACTS)


def test_what_is_searched_and_what_is_fixed_are_all_the_trainers_hyperparameters() -> None:
    assert {*SEARCH_SPACE, *FIXED_HYPERPARAMETERS} == {field.name for field in fields(Hyperparameters)}
    assert not SEARCH_SPACE.keys() & FIXED_HYPERPARAMETERS.keys()


@pytest.mark.parametrize("end", ["MinValue", "MaxValue"])
def test_the_trainer_takes_both_ends_of_every_range_as_sagemaker_hands_them_over(end: str) -> None:
    ranges = REQUESTS.tuning(a_run())["HyperParameterTuningJobConfig"]["ParameterRanges"]
    texts = {found["Name"]: found[end] for kind in ranges.values() for found in kind}

    read = parse_hyperparameters({**texts, **FIXED_HYPERPARAMETERS, "_tuning_objective_metric": OBJECTIVE_METRIC})

    assert {name: float(getattr(read, name)) for name in texts} == {name: float(text) for name, text in texts.items()}


def test_the_contract_names_every_hyperparameter_and_no_other() -> None:
    table = CONTRACTS.split("| hyperparameter | kind | meaning |")[1].split("\n\n")[0]

    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == {
        *asdict(Hyperparameters()),
        "_tuning_objective_metric",
    }


@pytest.mark.parametrize("end", ["MinValue", "MaxValue"])
def test_the_trainer_takes_the_arguments_that_its_jobs_are_given(end: str) -> None:
    limits = {name: TEMPLATE.parameters[name][end] for name in ("ImageSize", "CachedViews")}
    plan = replace(PLAN, image_size=limits["ImageSize"], views=limits["CachedViews"])
    run = a_run(plan=plan)

    for request in (REQUESTS.prepare(run), REQUESTS.evaluation(run, "s3://model", None)):
        _parser().parse_args(request["AppSpecification"]["ContainerArguments"])


@pytest.mark.parametrize("key", KEYS)
def test_the_contract_names_every_key_of_the_bucket(key: Any) -> None:
    assert f"| `{key(RUN_ID)}` |" in CONTRACTS


def test_the_contract_names_where_trials_and_images_are() -> None:
    assert f"| `{layout.trial_model(RUN_ID, TRIAL)}` |" in CONTRACTS
    assert layout.trial_model(RUN_ID, TRIAL).startswith(layout.trials(RUN_ID))
    assert "| `seedlings/<label>/<file>` |" in CONTRACTS


def test_the_contract_names_every_key_there_is() -> None:
    named = set(re.findall(r"^\| `(runs/.*?)` \|", CONTRACTS, re.MULTILINE))

    assert named == {*(key(RUN_ID) for key in KEYS), layout.trial_model(RUN_ID, TRIAL)}


def test_the_contract_names_every_verb_of_the_container() -> None:
    (verbs,) = (action.choices for action in _parser()._actions if action.dest == "verb")

    assert verbs is not None
    for verb in verbs:
        assert f"### {verb} (" in CONTRACTS


def test_the_contract_names_every_route() -> None:
    for route in TEMPLATE.of_type("AWS::ApiGatewayV2::Route").values():
        assert f"| `{route['RouteKey']}` |" in CONTRACTS


def test_the_contract_names_every_path_that_a_job_is_given() -> None:
    run = a_run()
    paths = [
        given["S3Input"]["LocalPath"]
        for request in (REQUESTS.prepare(run), REQUESTS.evaluation(run, "s3://model", "s3://champion"))
        for given in request["ProcessingInputs"]
    ]

    assert len(paths) == 4
    for path in paths:
        assert path in CONTRACTS
