"""Writes docs/scale.md: what runs of up to a million images are expected to take and cost on AWS, and what limits them.

python -m benchmarks.scale_page
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from job_manager.domain.costs.assumptions import Range
from job_manager.domain.costs.expectation import StageExpectation, expectation
from job_manager.domain.dataset import NAMES_KEPT
from job_manager.domain.listing import KEYS_A_PAGE
from job_manager.domain.plan import Plan
from job_manager.domain.scale import TESTED, TRAINED, for_images, view_bytes, views_kept
from job_manager.domain.volumes import (
    FACTS,
    LARGEST_GIB,
    Amount,
    evaluation_gib,
    features,
    fine_tuning_gib,
    merge_gib,
    photos,
    prepare_gib,
    training_images,
    tuning_gib,
)
from seedbed.bundle import TEMPLATE
from seedbed.deploy.template import TemplateFile

from .cost_page import dollars_of, minutes_of, plan_with, unlimited

SIZES = (10_000, 100_000, 1_000_000)
INSTANCES = "20"
PHOTO_BYTES = 450_000
"""The mean of the photographs that the disks' sizes were decided on (docs/decisions/0027)."""
GB = 10**9
S3_GB_MONTH = 0.023
DISK_GB_MONTH = 0.14
DOWNLOAD = Range(100e6, 300e6)
"""Bytes a second from S3 to an instance: an assumption, not measured on AWS."""
SECONDS_A_PAGE = 0.1
LARGER_PHOTO_SECONDS = 0.02
MOST_SECONDS = 432_000
"""A processing job's longest time limit."""

# Measured on a laptop; bench-load.md has the snapshot's.
SNAPSHOT_MIB, START_MIB, START_MIB_BEFORE = 78, 637, 138
ADVANCE_MIB = 98
PREDICTIONS_MIB, COMPARED_MIB, COMPARED_SECONDS = 23, 231, 0.6
LAMBDA_MIB, FULL_PROCESSOR_MIB = 512, 1769

HEAD = """# A run of a million images
Written by `make scale-page` from the model of costs in `functions/job_manager/domain/costs/`, the sizes of disks in
`functions/job_manager/domain/volumes.py`, and the template. **It is arithmetic: no run of these sizes was tried on
AWS.** What it takes from measurements on 2 cores, and what it assumes, [cost.md](cost.md) lists. That an image costs
the same in ten times as many is measured by `make bench-scale`, on a laptop too ([figures](bench-scale.md)).

The stack has the template's defaults, but `PrepareInstances` is {instances} and the time limits suffice. A photograph
has {photo:,} bytes. Of minutes and US dollars the first is the lower end of the expectation, the second the upper.
"""
SIZE = """
## {images:,} images
Prepare keeps {views} of a training image's views. {sampled}

| stage | instances | minutes | US$ | disk of each, GiB | by default |
| --- | --- | ---: | ---: | ---: | --- |
"""
STORED = """
| kept in S3 | GB | US$ a month |
| --- | ---: | ---: |
"""
LIMITS = """
## What binds
By default a job that prepares or evaluates has {processing:,} s, a trial {trial:,} s. A run whose images take longer to
prepare is refused before it costs anything, with a sentence that says what to raise; *too long* above is a job that its
time limit may end.

| limit | its size | at 1,000,000 images | images that reach it |
| --- | ---: | ---: | ---: |
"""
OPEN = """
## What is left
- Evaluate has one instance, whatever the number of images.
- The job that trains on all images ends at a trial's time limit, with its best epoch so far: raise
  `TrialTimeLimitSeconds` for it.
- Fine-tuning sees every training image in each of its epochs, on one instance.
- Downloads are left out of the minutes above. At {low:.0f} to {high:.0f} MB a second, which is assumed, each instance
  of prepare takes {photos} s for its share of the photographs, and each trial of the heads {features} s
  for all {gigabytes:.0f} GB of features, of which it uses a sample.
- Reading a photograph was measured on ones of 150 pixels. One of 1,200 pixels and 0.5 MB took {decoding} s of a
  processor more, on a busy laptop: {larger:.0f} minutes more on {instances} instances with four.
- The job on all images reads its features in random order, once an epoch: where {gigabytes:.0f} GB don't fit its
  instance's memory, its disk is read again and again.
- Disks cost some ${disk} for a GB and month, which the costs above leave out.
- Uploading is not part of a run: at 500 uploads a second a million take {upload:.0f} minutes, and US$ 5 of requests.
"""

Gib = Callable[[Plan, Amount], int]
DISKS: Mapping[str, Gib] = {
    "prepare": prepare_gib,
    "merge": lambda _, given: merge_gib(given),
    "heads": tuning_gib,
    "refit": tuning_gib,
    "fine-tune": fine_tuning_gib,
    "evaluate": evaluation_gib,
}


def page() -> Iterator[str]:
    """The page, in parts."""
    plan = plan_with({"PrepareInstances": INSTANCES})
    yield HEAD.format(instances=INSTANCES, photo=PHOTO_BYTES)
    for images in SIZES:
        yield from of_size(plan, images)
    yield LIMITS.format(processing=plan.processing_time_limit, trial=plan.trial_time_limit)
    yield from (f"| {' | '.join(cells)} |\n" for cells in limits(plan))
    largest = SIZES[-1]
    stored = features(for_images(plan, largest), given(largest))
    yield OPEN.format(
        low=DOWNLOAD.low / 1e6,
        high=DOWNLOAD.high / 1e6,
        gigabytes=stored / GB,
        photos=seconds_for(largest * PHOTO_BYTES / int(INSTANCES)),
        features=seconds_for(stored),
        decoding=LARGER_PHOTO_SECONDS,
        larger=largest * LARGER_PHOTO_SECONDS / int(INSTANCES) / 4 / 60,
        instances=INSTANCES,
        disk=DISK_GB_MONTH,
        upload=largest / 500 / 60,
    )


def seconds_for(size: float) -> str:
    """Of a download of so many bytes."""
    return f"{size / DOWNLOAD.high:,.0f} to {size / DOWNLOAD.low:,.0f}"


def given(images: int) -> Amount:
    return Amount(images, images * PHOTO_BYTES)


def of_size(plan: Plan, images: int) -> Iterator[str]:
    """The tables of a run with so many images."""
    fitted = for_images(plan, images)
    sampled = (
        f"Heads are tuned on {fitted.head_sample:,} of {TRAINED * images:,.0f} training images, the best ones then "
        "trained on all."
        if fitted.head_sample
        else "Heads are tuned on all training images."
    )
    yield SIZE.format(images=images, views=views_kept(fitted, images), sampled=sampled)
    expected = expectation(unlimited(plan), images)
    cut = {stage.stage for stage in expectation(plan, images).stages if stage.is_cut}
    yield from (stage_row(stage, fitted, images, stage.stage in cut) for stage in expected.stages)
    yield f"| all | | {minutes_of(expected.seconds)} | {dollars_of(expected.usd)} | | |\n" + STORED
    amounts = {
        "the photographs": images * PHOTO_BYTES,
        "features": features(fitted, given(images)),
        "images for fine-tuning": training_images(fitted, given(images)),
        "photographs of validation and test split, at most": photos(given(images)),
        "facts about each image": images * FACTS,
    }
    for name, size in amounts.items():
        yield f"| {name} | {size / GB:,.1f} | {size / GB * S3_GB_MONTH:,.2f} |\n"


def stage_row(stage: StageExpectation, plan: Plan, images: int, is_cut: bool) -> str:
    disk = DISKS[stage.stage](plan, given(images))
    cells = (
        stage.stage,
        f"{stage.jobs} x {stage.instance_type}",
        minutes_of(stage.seconds),
        dollars_of(stage.usd),
        f"{disk:,}",
        "too long" if is_cut else "",
    )
    return f"| {' | '.join(cells)} |\n"


def limits(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Each limit: its name, its size, what a run of a million images needs of it, and how many images reach it."""
    largest = SIZES[-1]
    yield from time_limits(plan)
    disk = prepare_gib(for_images(plan, largest), given(largest))
    yield (
        f"disk of prepare on {INSTANCES} instances",
        f"{LARGEST_GIB:,} GiB",
        f"{disk:,} GiB",
        rounded(first(lambda images: prepare_gib(for_images(plan, images), given(images)) > LARGEST_GIB)),
    )
    yield from functions()
    tested = TESTED * largest
    seconds = COMPARED_SECONDS * FULL_PROCESSOR_MIB / LAMBDA_MIB
    yield (
        f"memory of `Api`, two runs compared on {tested:,.0f} test images",
        f"{LAMBDA_MIB} MiB",
        f"{COMPARED_MIB} MiB, {seconds:.0f} s of 15; two files of {PREDICTIONS_MIB} MiB",
        rounded(largest * LAMBDA_MIB / COMPARED_MIB),
    )
    yield "an item of the table", "400 KB", f"{NAMES_KEPT} names of a list, and counts by label", "none"
    yield "an answer of the API", "6 MB", "pages, and lists of 100", "none"
    view = view_bytes(plan, 1) * (1 + TESTED / TRAINED)
    yield (
        "cached views",
        "4 GiB, at least one view",
        "1 view",
        rounded(4 * 2**30 / (view * TRAINED)) + " leave one view",
    )


def functions() -> Iterator[tuple[str, str, str, str]]:
    """The limits of the functions that list the bucket and keep a snapshot of it."""
    largest, resources = SIZES[-1], TemplateFile(TEMPLATE).content["Resources"]
    start = resources["StartRun"]["Properties"]
    listing = largest / KEYS_A_PAGE * SECONDS_A_PAGE
    yield (
        f"time of `StartRun`, which lists {KEYS_A_PAGE:,} keys a call",
        f"{start['Timeout']} s",
        f"{listing:.0f} s, {SECONDS_A_PAGE} s a call",
        rounded(largest * start["Timeout"] / listing),
    )
    yield (
        "memory of `StartRun`, which holds the snapshot",
        f"{start['MemorySize']:,} MiB",
        f"{START_MIB} MiB, measured",
        rounded(largest * (start["MemorySize"] - START_MIB_BEFORE) / (START_MIB - START_MIB_BEFORE)),
    )
    yield (
        "memory of `AdvanceRun`, which reads the snapshot's refused files",
        f"{LAMBDA_MIB} MiB",
        f"{ADVANCE_MIB} MiB, measured; the file has {SNAPSHOT_MIB}",
        rounded(largest * (LAMBDA_MIB - ADVANCE_MIB + SNAPSHOT_MIB) / SNAPSHOT_MIB),
    )


def time_limits(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Of each stage: the time limit of a job by default, and what the stage needs if nothing ends it."""
    limit = plan.processing_time_limit
    single = replace(plan, prepare_instances=1)
    yield stage_limit(single, "prepare", "time of prepare on 1 instance", limit)
    yield stage_limit(plan, "prepare", f"time of prepare on {INSTANCES} instances", limit)
    yield stage_limit(plan, "refit", "time of the heads on all images", plan.trial_time_limit)
    yield stage_limit(plan, "evaluate", "time of evaluate", limit)
    longest = replace(plan, processing_time_limit=MOST_SECONDS)
    yield stage_limit(longest, "evaluate", "time of evaluate, the longest that can be set", MOST_SECONDS)


def stage_limit(plan: Plan, stage: str, name: str, limit: int) -> tuple[str, str, str, str]:
    largest = SIZES[-1]
    needed = next(one.seconds for one in expectation(unlimited(plan), largest).stages if one.stage == stage)
    reached = first(lambda images: any(one.stage == stage and one.is_cut for one in expectation(plan, images).stages))
    return name, f"{limit:,} s", f"{needed.low:,.0f} to {needed.high:,.0f} s, its start included", rounded(reached)


def first(reaches: Callable[[int], bool]) -> int:
    """The least number of images that reaches a limit, for which all larger numbers do."""
    low, high = 0, 1
    while not reaches(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def rounded(images: float) -> str:
    """To two digits."""
    return f"{float(f'{images:.2g}'):,.0f}"


def main() -> None:
    """Prints the page."""
    sys.stdout.writelines(page())


if __name__ == "__main__":
    main()
