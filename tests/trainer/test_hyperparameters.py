"""SageMaker passes hyperparameters as text; errors name the hyperparameter."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import BadHyperparameter
from trainer.training.hyperparameters import (
    FINE_TUNE_DEFAULTS,
    RANGES,
    Hyperparameters,
    parse_hyperparameters,
    read_hyperparameters,
)

any_text = st.text("0123456789.e+- naif_x", max_size=12)


def test_values_are_read_from_text() -> None:
    chosen = parse_hyperparameters({"learning_rate": "2.5e-3", "epochs": "12", "hidden_units": "0"})
    assert chosen == Hyperparameters(learning_rate=0.0025, epochs=12, hidden_units=0)


def test_hyperparameters_that_the_tuner_adds_are_ignored() -> None:
    assert parse_hyperparameters({"_tuning_objective_metric": "validation_accuracy"}) == Hyperparameters()


def test_a_missing_file_gives_the_defaults(tmp_path: Path) -> None:
    assert read_hyperparameters(tmp_path / "missing.json") == Hyperparameters()


@pytest.mark.parametrize("chosen", [Hyperparameters(), parse_hyperparameters({"kind": "fine-tune"})])
def test_every_number_has_a_range_that_includes_its_default(chosen: Hyperparameters) -> None:
    numbers = {name: value for name, value in asdict(chosen).items() if not isinstance(value, str)}
    assert numbers.keys() == RANGES.keys()
    assert all(RANGES[name][0] <= value <= RANGES[name][1] for name, value in numbers.items())


def test_fine_tuning_has_its_own_defaults_which_can_be_overridden() -> None:
    chosen = parse_hyperparameters({"kind": "fine-tune", "batch_size": "16", "backbone": "efficientnet-lite2"})
    assert chosen.learning_rate == FINE_TUNE_DEFAULTS["learning_rate"] != Hyperparameters().learning_rate
    assert (chosen.batch_size, chosen.backbone) == (16, "efficientnet-lite2")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(BadHyperparameter, match="head or fine-tune, but is 'forest'"):
        parse_hyperparameters({"kind": "forest"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("momentum", "0.9"),
        ("epochs", "3.5"),
        ("epochs", "0"),
        ("epochs", ""),
        ("learning_rate", "fast"),
        ("learning_rate", "nan"),
        ("learning_rate", "-1"),
        ("dropout", "0.95"),
        ("augmentation", "1.01"),
        ("batch_size", "1e3"),
        ("weight_decay", "inf"),
    ],
)
def test_an_unknown_or_malformed_hyperparameter_is_named(name: str, text: str) -> None:
    with pytest.raises(BadHyperparameter, match=f"The hyperparameter '?{name}'? "):
        parse_hyperparameters({name: text})


def test_an_unknown_name_is_reported_in_one_short_printable_line() -> None:
    with pytest.raises(BadHyperparameter) as refusal:
        parse_hyperparameters({"\n\x1b[2J" + "x" * 10_000: "1"})
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 500


@pytest.mark.parametrize("content", ["", "[]", '"epochs"', "{"])
def test_a_file_that_is_not_one_object_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "hyperparameters.json").write_text(content)
    with pytest.raises(BadHyperparameter):
        read_hyperparameters(tmp_path / "hyperparameters.json")


@given(st.dictionaries(st.sampled_from([*RANGES, "other"]), any_text | st.floats().map(str)))
def test_any_text_gives_values_within_their_ranges_or_a_sentence(texts: dict[str, str]) -> None:
    try:
        chosen = parse_hyperparameters(json.loads(json.dumps(texts)))
    except BadHyperparameter:
        return
    assert all(RANGES[name][0] <= getattr(chosen, name) <= RANGES[name][1] for name in RANGES)
