"""The ranges that a person chooses: what is searched, what is refused, and which run they make."""

import json
from dataclasses import replace
from typing import Any

import pytest

from job_manager.aws.search_space_file import LARGEST_FILE
from job_manager.domain.dataset import SEARCH_SPACE_FILE, Snapshot, StoredObject, take_snapshot
from job_manager.domain.errors import Conflict
from job_manager.domain.run import Run, RunState
from job_manager.domain.run_request import PlanName, RunRequest
from job_manager.domain.search_space import (
    FINE_TUNING_SEARCH_SPACE,
    FIXED_FINE_TUNING_HYPERPARAMETERS,
    FIXED_HYPERPARAMETERS,
    SEARCH_SPACE,
    Choice,
    Continuous,
    Integer,
    SearchSpace,
    as_text,
    from_text,
)
from job_manager.steps.reconcile import reconcile
from job_manager.steps.request_run import request_run
from tests.fakes.world import FULL_PLAN, World

DEFAULT = as_text(SEARCH_SPACE, FIXED_HYPERPARAMETERS)
WIDE = {"heads": {"learning_rate": {"low": 5e-4, "high": 0.02, "scale": "log"}}}
NAMES = "learning_rate, epochs, batch_size, augmentation, dropout, weight_decay, label_smoothing, class_weighting, seed"
SCALE = 'with "scale": "log" or "linear" if wanted'


def choose(world: World, content: Any) -> None:
    """A person puts the file with the ranges into the bucket."""
    world.bucket.put(SEARCH_SPACE_FILE, content if isinstance(content, bytes) else json.dumps(content).encode())


def ask(world: World, name: str = "a", **choices: Any) -> None:
    """A person asks for a run now."""
    request_run(RunRequest(name, world.clock.now(), **choices), world, world.plan)


def searched(run: Run) -> SearchSpace:
    return from_text(run.plan.search_space)[0]


def refused(world: World, content: Any) -> str:
    """Why the run of these ranges is refused; an assertion fails if it isn't."""
    choose(world, content)
    run = world.start()
    assert run.state is RunState.REFUSED
    assert run.reason
    return run.reason


def test_without_a_file_the_usual_ranges_are_searched(world: World) -> None:
    assert world.start().plan.search_space == DEFAULT


@pytest.mark.parametrize("content", [{}, {"heads": {}}, {"heads": {"seed": {"value": 1}}}])
def test_a_file_that_chooses_nothing_else_makes_no_other_run(world: World, content: Any) -> None:
    run = world.start()
    world.complete(run.run_id)
    choose(world, content)

    with pytest.raises(Conflict, match="had these images and this plan"):
        ask(world)


def test_chosen_ranges_take_the_place_of_the_usual_ones_of_the_same_names(world: World) -> None:
    choose(world, {"heads": {**WIDE["heads"], "epochs": {"low": 5, "high": 50}, "hidden_units": {"values": [0, 128]}}})

    run = world.start()

    assert searched(run) == {
        **SEARCH_SPACE,
        "learning_rate": Continuous(5e-4, 0.02, logarithmic=True),
        "epochs": Integer(5, 50),
        "hidden_units": Choice(("0", "128")),
    }
    assert "hidden_units" not in from_text(run.plan.search_space)[1]


def test_a_value_or_a_range_of_one_value_is_fixed(world: World) -> None:
    choose(
        world, {"heads": {"dropout": {"value": 0}, "epochs": {"low": 20, "high": 20}, "seed": {"low": 1, "high": 9}}}
    )

    space, fixed = from_text(world.start().plan.search_space)

    assert "dropout" not in space
    assert "epochs" not in space
    assert fixed == {"kind": "head", "hidden_units": "0", "heads": "1", "varied": "", "dropout": "0.0", "epochs": "20"}
    assert space["seed"] == Integer(1, 9)


def test_fine_tuning_has_ranges_of_its_own(world: World) -> None:
    world.plan = FULL_PLAN
    choose(world, {"fine_tuning": {"epochs": {"low": 8, "high": 24}, "weight_decay": {"value": 0.1}}})

    plan = world.start().plan

    assert plan.search_space == DEFAULT
    assert plan.fine_tuning
    assert from_text(plan.fine_tuning.search_space) == (
        {**FINE_TUNING_SEARCH_SPACE, "epochs": Integer(8, 24)},
        {**FIXED_FINE_TUNING_HYPERPARAMETERS, "weight_decay": "0.1"},
    )
    assert plan.fine_tuning.expected_epochs == 16


def test_a_request_for_the_full_plan_has_the_chosen_ranges_of_fine_tuning(world: World) -> None:
    world.complete(world.start().run_id)
    choose(world, {"fine_tuning": {"seed": {"value": 7}}})

    ask(world, plan=PlanName.FULL, fine_tuning=FULL_PLAN.fine_tuning)
    (run,) = world.settle()

    assert run.plan.fine_tuning
    assert from_text(run.plan.fine_tuning.search_space)[1]["seed"] == "7"


def test_the_file_is_neither_an_image_nor_a_refused_file(world: World) -> None:
    run = world.start()
    world.complete(run.run_id)

    choose(world, WIDE)

    assert list(world.bucket.objects()) == list(take_snapshot(world.bucket.objects()).images)
    assert take_snapshot([StoredObject(SEARCH_SPACE_FILE, "e", 9)]) == Snapshot((), ())
    assert reconcile(world, world.plan, world.rule) is None
    assert not world.timer.wakes


def test_other_ranges_make_another_run_of_the_same_images(world: World) -> None:
    first = world.complete(world.start().run_id)
    choose(world, WIDE)

    ask(world)
    (second,) = world.settle()

    assert second.run_id != first.run_id
    assert second.content == first.content
    assert second.warm_start_from == ()
    assert world.complete(second.run_id).state is RunState.COMPLETED


def test_a_run_is_warm_started_from_a_run_of_the_same_ranges(world: World) -> None:
    world.complete(world.start().run_id)
    choose(world, WIDE)
    world.upload_dataset(batch="second")
    (second,) = world.settle()
    world.complete(second.run_id)

    world.upload_dataset(batch="third")
    (third,) = world.settle()

    assert third.warm_start_from == (second.run_id,)


def test_the_ranges_of_a_run_in_progress_stay_as_they_were(world: World) -> None:
    run = world.start()

    choose(world, WIDE)

    assert world.complete(run.run_id).plan.search_space == DEFAULT


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            {"heads": {"learning_rat": {"value": 0.1}}},
            f"In search-space.json, heads can't have 'learning_rat', but only {NAMES}, hidden_units.",
        ),
        ({"head": {}}, "search-space.json can't have 'head', but only heads and fine_tuning."),
        (
            {"fine_tuning": {"hidden_units": {"value": 8}}},
            f"In search-space.json, fine_tuning can't have 'hidden_units', but only {NAMES}, early_share.",
        ),
        (
            {"heads": {"dropout": {"low": 0.1, "high": 0.95}}},
            "In search-space.json, heads.dropout must be within numbers from 0 to 0.9.",
        ),
        (
            {"heads": {"epochs": {"low": 1.5, "high": 3}}},
            "In search-space.json, heads.epochs must be within whole numbers from 1 to 10000.",
        ),
        (
            {"heads": {"epochs": {"value": 10**400}}},
            "In search-space.json, heads.epochs must be within whole numbers from 1 to 10000.",
        ),
        (
            {"heads": {"dropout": {"low": 0.5, "high": 0.1}}},
            "In search-space.json, heads.dropout must have a low of at most its high.",
        ),
        (
            {"heads": {"weight_decay": {"low": 0, "high": 1, "scale": "log"}}},
            'In search-space.json, heads.weight_decay must have a low above 0 if its scale is "log".',
        ),
    ],
)
def test_a_range_that_cant_be_searched_is_refused_by_name(world: World, content: Any, sentence: str) -> None:
    assert refused(world, content) == sentence


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"low": 0.1},
        {"low": 0.1, "high": 0.2, "value": 0.1},
        {"value": 0.1, "values": [0.1]},
        {"value": 0.1, "scale": "log"},
        {"low": "0.1", "high": 0.2},
        {"low": True, "high": 0.2},
        {"low": 0.1, "high": 0.2, "scale": "logarithmic"},
        {"low": 0.1, "hihg": 0.2},
        {"values": []},
        {"values": [0.01 * number for number in range(31)]},
        [0.1, 0.2],
        0.1,
        None,
    ],
)
def test_a_range_of_another_form_is_refused_with_the_forms(world: World, given: Any) -> None:
    assert refused(world, {"heads": {"dropout": given}}) == (
        f'In search-space.json, heads.dropout must be {{"low": …, "high": …}}, {SCALE}, '
        '{"values": [up to 30 numbers]}, or {"value": …}.'
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"heads:\n  epochs: 3\n",
        b"\xff\xfe{\x00}\x00",
        b"[" * 50_000,
        b'{"heads": [' * 5_000,
        b"[]",
        b'{"heads": 3}',
        b'{"heads": {"dropout": {"value": NaN}}}',
    ],
    ids=["empty", "YAML", "UTF-16", "deep list", "deep object", "list", "number", "NaN"],
)
def test_what_is_not_such_json_is_refused_with_an_example(world: World, body: bytes) -> None:
    assert refused(world, body).startswith('search-space.json must be JSON of the form {"heads": {"learning_rate": {')


@pytest.mark.parametrize("number", [b"1e999", b"-1e999"])
def test_an_infinite_number_is_refused(world: World, number: bytes) -> None:
    assert "search-space.json" in refused(world, b'{"heads": {"dropout": {"value": ' + number + b"}}}")


def test_a_file_that_is_too_large_is_refused(world: World) -> None:
    assert refused(world, b" " * LARGEST_FILE + b"{}") == "search-space.json is larger than 64 KiB."


def test_a_byte_order_mark_is_taken(world: World) -> None:
    choose(world, b"\xef\xbb\xbf" + json.dumps(WIDE).encode())

    assert searched(world.start())["learning_rate"] == Continuous(5e-4, 0.02, logarithmic=True)


def test_ranges_with_fewer_values_than_jobs_are_refused(world: World) -> None:
    fixed: dict[str, Any] = {name: {"value": 1} for name in ("augmentation", "weight_decay")}
    fixed |= {"learning_rate": {"value": 0.003}, "dropout": {"value": 0.2}, "epochs": {"value": 9}}

    assert refused(world, {"heads": {**fixed, "batch_size": {"values": [64, 128, 64]}}}) == (
        "The ranges of heads in search-space.json have too few combinations of values to search: 2 of at least 4. "
        "Widen a range, or give fewer fixed values."
    )


def test_a_single_training_job_still_has_something_to_search(world: World) -> None:
    world.plan = replace(FULL_PLAN, fine_tuning=replace(FULL_PLAN.fine_tuning, trials=1))  # type: ignore[type-var]
    names = {"learning_rate": 1e-4, "batch_size": 32, "augmentation": 1, "seed": 1}

    assert "fine_tuning in search-space.json have too few combinations of values to search: 1 of at least 2" in refused(
        world, {"fine_tuning": {name: {"value": value} for name, value in names.items()}}
    )


def test_a_run_that_is_refused_for_its_ranges_starts_once_they_are_mended(world: World) -> None:
    refused(world, {"heads": {"epochs": {"value": 0}}})
    assert world.settle() == []

    choose(world, WIDE)
    reconcile(world, world.plan, world.rule)
    (run,) = world.settle()

    assert run.state is RunState.PREPARING
    assert "learning_rate" in searched(run)


def test_another_mistake_in_the_ranges_is_told_too(world: World) -> None:
    first = refused(world, {"heads": {"epochs": {"value": 0}}})

    choose(world, {"heads": {"epoch": {"value": 10}}})
    reconcile(world, world.plan, world.rule)
    (run,) = world.settle()

    assert run.state is RunState.REFUSED
    assert run.reason != first


def test_a_request_is_told_at_once_of_ranges_that_cant_be_searched(world: World) -> None:
    world.complete(world.start().run_id)
    choose(world, {"heads": {"epochs": {"value": 0}}})

    with pytest.raises(Conflict, match=r"heads\.epochs must be within whole numbers from 1 to 10000"):
        ask(world)


def test_a_failed_run_gets_another_attempt_with_other_ranges_and_no_third(world: World) -> None:
    run = world.start()
    world.fail(f"{run.run_id}-prepare")
    world.advance(run.run_id)
    choose(world, WIDE)

    reconcile(world, world.plan, world.rule)
    (second,) = world.settle()
    world.fail(f"{second.run_id}-prepare")
    world.advance(second.run_id)
    reconcile(world, world.plan, world.rule)

    assert searched(second)["learning_rate"] == Continuous(5e-4, 0.02, logarithmic=True)
    assert world.settle() == []
