"""The training container and the job manager share no code: here they are held to what they share."""

import json
import re
from dataclasses import asdict, fields, replace
from typing import Any

import msgspec
import pytest

from job_manager.aws.sagemaker_requests import JobRequests
from job_manager.aws.search_space_file import read_ranges
from job_manager.domain import layout, scale, volumes
from job_manager.domain.costs import assumptions as given
from job_manager.domain.costs import expectation
from job_manager.domain.dataset import PRETRAINED
from job_manager.domain.plan import BACKBONES_IN_THE_IMAGE, USUAL_ERROR_RATE
from job_manager.domain.ranges import FINE_TUNING_LIMITS, HEAD_LIMITS, with_ranges
from job_manager.domain.reason import names_other_trainer
from job_manager.domain.results.evaluation import Evaluation
from job_manager.domain.results.scores import ChangeScore
from job_manager.domain.results.trial import Head, Heads, Trial
from job_manager.domain.search_space import METRICS, OBJECTIVE_METRIC
from tests.contract.template import ROOT, ROUTES, Template
from tests.fakes.world import FULL_PLAN, PLAN, a_run
from trainer.__main__ import _parser
from trainer.errors import BadInput, OtherTrainer, WrongUse
from trainer.photos import LONGEST_SIDE
from trainer.preparation.dataset import TRAIN_SHARE, VALIDATION_SHARE
from trainer.training.hyperparameters import (
    FINE_TUNE_KIND,
    HEAD_KIND,
    RANGES,
    Hyperparameters,
    parse_hyperparameters,
)

CONTRACTS = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
CHANGES = (ROOT / "docs" / "changes.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"`(epoch \d+/\d+ - .*;)`", CONTRACTS)
REQUESTS = JobRequests("bucket", "role")
TEMPLATE = Template()
RUN_ID, TRIAL = "<run_id>", "<training job>"
HEAD = Trial("sb-0123456789abcdef-1-001-0a1b2c3d", "Completed", {}, 0.9, model_uri="s3://bucket/head")
FULL = a_run(plan=FULL_PLAN, best_head=HEAD)
BROUGHT = replace(FULL, plan=replace(FULL_PLAN, pretrained=PRETRAINED))
MODELS = {name: f"s3://bucket/{name}" for name in ("model", "rival", "champion")}
TUNING_JOBS = [REQUESTS.tuning(FULL), REQUESTS.fine_tuning(FULL)]
MOST_RANGES = 20
"""How many hyperparameters AMT searched when its limit was lowest."""
KEYS = [
    layout.mistakes,
    layout.predictions,
    layout.snapshot,
    layout.manifest,
    layout.parts,
    layout.features,
    layout.training,
    layout.validation_split,
    layout.test_split,
    layout.dataset_report,
    layout.mosaic,
    layout.wrong_labels,
    layout.thumbnails,
    layout.thumbnail_index,
    layout.checkpoints,
    layout.scores,
    layout.model,
    layout.report,
    layout.model_card,
    layout.stop,
    layout.retry,
    layout.notified,
    layout.notified_of_start,
    layout.record,
]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """A line of the log as the contract has it, and as the trainer writes it."""
    from trainer.training.loop import EpochMetrics  # noqa: PLC0415 - it loads TensorFlow: only for who asks for these lines

    assert EXAMPLE is not None
    metrics = EpochMetrics(train_loss=0.4102, train_accuracy=0.8811, validation_loss=0.523, validation_accuracy=0.8402)
    return [EXAMPLE.group(1), *(f"{begin} - {metrics}" for begin in ("epoch 3/40", "best epoch 31", "best head 2/5"))]


def definitions() -> dict[str, str]:
    algorithm = REQUESTS.tuning(a_run())["TrainingJobDefinition"]["AlgorithmSpecification"]
    return {found["Name"]: found["Regex"] for found in algorithm["MetricDefinitions"]}


def test_every_metric_regex_finds_its_value_in_the_trainers_lines(lines: list[str]) -> None:
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


def test_the_objective_and_the_metrics_match_the_contract() -> None:
    assert OBJECTIVE_METRIC in METRICS
    for name, regex in definitions().items():
        assert re.search(rf"\| `{name}`.*\| `{re.escape(regex)}` \|", CONTRACTS)


def test_searched_and_fixed_values_are_the_trainers_hyperparameters() -> None:
    for request in TUNING_JOBS:
        ranges = request["HyperParameterTuningJobConfig"]["ParameterRanges"]
        searched = {found["Name"] for kind in ranges.values() for found in kind}
        fixed = request["TrainingJobDefinition"]["StaticHyperParameters"]
        assert searched | fixed.keys() <= {field.name for field in fields(Hyperparameters)}
        assert not searched & fixed.keys()


@pytest.mark.parametrize("end", ["MinValue", "MaxValue"])
@pytest.mark.parametrize("request_", TUNING_JOBS, ids=["heads", "fine-tuning"])
def test_the_trainer_accepts_both_ends_of_every_range(request_: Any, end: str) -> None:
    ranges = request_["HyperParameterTuningJobConfig"]["ParameterRanges"]
    texts = {found["Name"]: found[end] for kind in ranges.values() for found in kind}
    fixed = request_["TrainingJobDefinition"]["StaticHyperParameters"]

    read = parse_hyperparameters({**texts, **fixed, "_tuning_objective_metric": OBJECTIVE_METRIC})

    assert {name: float(getattr(read, name)) for name in texts} == {name: float(text) for name, text in texts.items()}
    assert {name: str(getattr(read, name)) for name in fixed} == fixed


def test_the_ranges_that_may_be_chosen_are_the_trainers() -> None:
    kinds = {field.name: field.type for field in fields(Hyperparameters)}

    for limits, of_others in (
        (HEAD_LIMITS, {"heads", "sample", "early_share"}),
        (FINE_TUNING_LIMITS, {"heads", "sample", "hidden_units"}),
    ):
        assert {name: (of.low, of.high) for name, of in limits.items()} == {
            name: ends for name, ends in RANGES.items() if name not in of_others
        }
        assert {name for name, of in limits.items() if of.whole} == {name for name in limits if kinds[name] is int}
    assert len(HEAD_LIMITS) + len({"backbone"}) <= MOST_RANGES


def test_the_contract_names_every_range_that_may_be_chosen() -> None:
    said = CONTRACTS.split("## The ranges of the search")[1].split("\n## ")[0]

    for name, of in {**HEAD_LIMITS, **FINE_TUNING_LIMITS}.items():
        assert f"| `{name}` | {of.low:g} to {of.high:,.10g} |" in said
    for file in re.findall(r"```json\n(.*?)```", said, re.DOTALL):
        assert with_ranges(FULL_PLAN, read_ranges(file.encode())).search_space != FULL_PLAN.search_space


def test_the_two_tuning_jobs_use_the_trainers_two_kinds() -> None:
    kinds = [request["TrainingJobDefinition"]["StaticHyperParameters"]["kind"] for request in TUNING_JOBS]

    assert kinds == [HEAD_KIND, FINE_TUNE_KIND]


def test_the_contract_lists_exactly_the_trainers_hyperparameters() -> None:
    table = CONTRACTS.split("| hyperparameter | kind | meaning |")[1].split("\n\n")[0]

    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == {
        *asdict(Hyperparameters()),
        "_tuning_objective_metric",
    }


@pytest.mark.parametrize("end", ["MinValue", "MaxValue"])
def test_the_trainer_accepts_the_arguments_of_its_jobs(end: str) -> None:
    limits = {name: TEMPLATE.parameters[name][end] for name in ("ImageSize", "CachedViews", "FineTuneSize")}
    assert FULL.plan.fine_tuning
    fine_tuning = replace(FULL.plan.fine_tuning, image_size=limits["FineTuneSize"])
    plan = replace(FULL.plan, image_size=limits["ImageSize"], views=limits["CachedViews"], fine_tuning=fine_tuning)

    for plan_ in (plan, replace(PLAN, exports=())):
        run = replace(FULL, plan=plan_)
        for request in (REQUESTS.prepare(run), REQUESTS.evaluation(run, MODELS, "ab" * 32)):
            _parser().parse_args(request["AppSpecification"]["ContainerArguments"])


def test_the_trainer_accepts_the_templates_backbones_and_exports() -> None:
    defaults = {name: TEMPLATE.parameters[name]["Default"].split(",") for name in ("Backbones", "Exports")}
    run = replace(FULL, plan=replace(FULL.plan, backbones=defaults["Backbones"], exports=defaults["Exports"]))

    prepare = _parser().parse_args(REQUESTS.prepare(run)["AppSpecification"]["ContainerArguments"])
    evaluate = _parser().parse_args(REQUESTS.evaluation(run, MODELS)["AppSpecification"]["ContainerArguments"])

    assert list(prepare.backbones) == defaults["Backbones"]
    assert prepare.fine_tune_size == FULL.plan.fine_tune_size
    assert list(evaluate.exports) == defaults["Exports"]
    assert evaluate.views == FULL.plan.evaluation_views
    assert evaluate.changed_images == FULL.plan.changed_images
    assert evaluate.sure_error_rate == FULL.plan.sure_error_rate


def test_the_trainer_accepts_the_templates_error_rates() -> None:
    parameter = TEMPLATE.parameters["SureErrorRate"]
    assert parameter["Default"] == USUAL_ERROR_RATE == _parser().parse_args(["evaluate"]).sure_error_rate
    for rate in (parameter["MinValue"], parameter["MaxValue"]):
        assert _parser().parse_args(["evaluate", "--sure-error-rate", str(rate)]).sure_error_rate == rate
    for rate in ("0.0009", "0.51", "nan", "often"):
        with pytest.raises(WrongUse):
            _parser().parse_args(["evaluate", "--sure-error-rate", rate])


def test_the_job_manager_reads_the_evaluation_that_the_contract_shows() -> None:
    shown = re.search(r"^- `evaluation.json`:\n```json\n(.*?)```", CONTRACTS, re.MULTILINE | re.DOTALL)
    assert shown is not None

    read = msgspec.json.decode(shown[1], type=Evaluation)

    assert read.changes is not None
    assert read.changes.accuracy == 0.86
    assert read.calibration is not None
    assert read.calibration.changed is not None
    assert read.when_sure is not None
    assert (read.when_sure.confidence, read.when_sure.test.wrong) == (0.82, 0.03)
    assert read.changes.by_change[read.changes.weakest] == ChangeScore(0.8, 0.78)
    without = {name: value for name, value in json.loads(shown[1]).items() if name != "changes"}
    assert msgspec.convert(without, Evaluation).changes is None


def test_the_expectation_counts_the_changes_and_the_docs_name_them() -> None:
    from trainer.evaluation.named_changes import CHANGES as NAMED  # noqa: PLC0415 - it loads OpenCV

    assert given.CHANGES.value.low == len(NAMED) >= 12
    for name in NAMED:
        assert f"| {name} |" in CHANGES


def test_the_expectation_counts_the_photographs_that_confidence_is_fitted_on() -> None:
    from trainer.evaluation import validation_outputs  # noqa: PLC0415 - it loads Keras

    fitted = (validation_outputs.MOST_PHOTOGRAPHS, validation_outputs.MOST_PASSES)
    assert fitted == (expectation.FITTED_IMAGES, expectation.FITTED_PASSES)


def test_disks_are_measured_for_the_splits_and_photographs_that_prepare_makes() -> None:
    assert (TRAIN_SHARE, VALIDATION_SHARE) == (scale.TRAINED, scale.VALIDATED)
    assert pytest.approx(1 - TRAIN_SHARE - VALIDATION_SHARE) == scale.TESTED
    assert volumes.LARGEST_SHRUNK_PHOTO == LONGEST_SIDE**2 * 3


def test_the_image_contains_the_backbones_for_jobs_without_a_network() -> None:
    from trainer.backbones.efficientnet import VARIANTS  # noqa: PLC0415 - it loads TensorFlow: only for who asks for these

    assert set(BACKBONES_IN_THE_IMAGE) == set(VARIANTS)


@pytest.mark.parametrize("key", KEYS)
def test_the_contract_names_every_key_of_the_bucket(key: Any) -> None:
    assert f"| `{key(RUN_ID)}` |" in CONTRACTS


def test_the_contract_names_the_keys_of_trials_and_images() -> None:
    assert f"| `{layout.trials(RUN_ID)}` |" in CONTRACTS
    assert "| `seedlings/<label>/<file>` |" in CONTRACTS


def test_the_contract_names_the_folder_of_pretrained_weights() -> None:
    assert re.search(TEMPLATE.parameters["PretrainedWeights"]["AllowedPattern"], PRETRAINED)
    assert f"| `{PRETRAINED}` | people |" in CONTRACTS


def test_the_contract_names_every_layout_key() -> None:
    named = set(re.findall(r"^\| `(runs/.*?)` \|", CONTRACTS, re.MULTILINE))

    delay = layout.notified_of_delay(RUN_ID, "<stage>", "<cause>")
    event = layout.announced(f"runs/{RUN_ID}/<mark>.json")
    assert named == {*(key(RUN_ID) for key in KEYS), layout.trials(RUN_ID), layout.heads(RUN_ID, TRIAL), delay, event}


def test_the_contract_names_every_verb_of_the_container() -> None:
    (verbs,) = (action.choices for action in _parser()._actions if action.dest == "verb")

    assert verbs is not None
    for verb in verbs:
        assert f"### {verb} (" in CONTRACTS


def test_the_contract_names_every_route() -> None:
    for route in ROUTES:
        assert f"| `{route.replace('HEAD', 'GET')}` |" in CONTRACTS


def test_the_contract_names_every_path_that_a_job_is_given() -> None:
    paths = [
        given["S3Input"]["LocalPath"]
        for request in (REQUESTS.prepare(BROUGHT), REQUESTS.evaluation(BROUGHT, MODELS))
        for given in request["ProcessingInputs"]
    ]
    channels = {
        given["ChannelName"]
        for job in (*TUNING_JOBS, REQUESTS.fine_tuning(BROUGHT))
        for given in job["TrainingJobDefinition"]["InputDataConfig"]
    }

    assert len(paths) == 8
    assert channels == {"features", "training", "head", "pretrained"}
    for path in (*paths, *(f"/opt/ml/input/data/{channel}" for channel in channels)):
        assert path in CONTRACTS


def test_the_job_manager_reads_the_heads_that_a_trial_wrote() -> None:
    written = re.search(r"`({\"best\": .*?})`", CONTRACTS)
    assert written is not None

    found = msgspec.json.decode(written.group(1), type=Heads)

    assert found == Heads(1, (Head({"learning_rate": "0.003"}, 0.8402),))


def test_the_job_manager_recognizes_the_trainers_version_error() -> None:
    assert names_other_trainer(f"AlgorithmError: {OtherTrainer('The pack')}, exit code: 1")
    assert not names_other_trainer(str(BadInput("The folder test holds no pack made by prepare.")))
