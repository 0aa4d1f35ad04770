"""Every job gets a disk on which its files fit, and not much more."""

from dataclasses import replace

import pytest

from job_manager.domain import volumes
from job_manager.domain.dataset import Snapshot, StoredObject
from job_manager.domain.errors import RunRefused
from job_manager.domain.run import RunState
from job_manager.domain.volumes import Amount, check_volumes, evaluation_gib, fine_tuning_gib, prepare_gib, tuning_gib
from tests.fakes.world import FULL_PLAN, PLAN, World

MIB, GIB = 2**20, 2**30
DEFAULT = replace(FULL_PLAN, image_size=288, views=8, fine_tuning=replace(FULL_PLAN.fine_tuning, image_size=224))  # type: ignore[type-var]
STAGES = (prepare_gib, tuning_gib, fine_tuning_gib, evaluation_gib)


def test_the_usual_dataset_gets_small_disks() -> None:
    usual = Amount(4027, 1_800_000_000)

    assert [stage(DEFAULT, usual) for stage in STAGES] == [15, 11, 12, 12]


def test_614_images_of_50_mib_fit() -> None:
    given = Amount(614, 614 * 50 * MIB)

    assert prepare_gib(DEFAULT, given) * GIB > 1.3 * given.bytes
    assert evaluation_gib(DEFAULT, given) * GIB > 0.3 * given.bytes


def test_a_disk_holds_what_the_job_reads_and_writes_at_a_million_images() -> None:
    given = Amount(1_000_000, 300 * 10**9)
    features = 1_000_000 * 9_584 * 2 * (0.7 + 0.15)
    training = 1_000_000 * 0.85 * 224 * 224 * 3

    assert prepare_gib(DEFAULT, given) * GIB > given.bytes + features + training
    assert tuning_gib(DEFAULT, given) * GIB > features
    assert fine_tuning_gib(DEFAULT, given) * GIB > training
    assert prepare_gib(DEFAULT, given) < volumes.LARGEST_GIB


def test_more_views_take_room_up_to_four_gib() -> None:
    sizes = [tuning_gib(replace(DEFAULT, views=views), Amount(50_000, 10**10)) for views in (1, 2, 6, 8)]

    assert sizes == [11, 12, 15, 15]


def test_each_further_backbone_and_size_takes_room() -> None:
    given = Amount(20_000, 10**10)
    two = replace(DEFAULT, backbones=("efficientnet-lite0", "efficientnet-lite1"))

    assert tuning_gib(two, given) > tuning_gib(DEFAULT, given)
    assert prepare_gib(replace(DEFAULT, fine_tuning=None), given) < prepare_gib(DEFAULT, given)
    assert fine_tuning_gib(replace(DEFAULT, backbones=("VGG16",)), given) > fine_tuning_gib(DEFAULT, given)


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_recorded_without_its_size_gets_the_disks_of_before(stage: object) -> None:
    assert stage(DEFAULT, None) == 30  # type: ignore[operator]


def test_images_beyond_sagemakers_largest_disk_are_refused() -> None:
    images = tuple(StoredObject(f"seedlings/Maize/{number}.png", "e", 200_000_000) for number in range(100_000))

    with pytest.raises(RunRefused, match=r"need a disk of 29,\d{3} GiB, and SageMaker's largest has 16,384\."):
        check_volumes(PLAN, Snapshot(images, ()))


def test_a_run_knows_how_large_its_images_are(world: World) -> None:
    run = world.start()

    assert run.given == Amount(12, sum(len(body) for key, body in world.bucket.contents.items() if "seedlings" in key))
    assert run.state is RunState.PREPARING
