"""The benchmark of scale as a page of Markdown, with its verdict."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .stages import Stage, TwoHosts

TIME_TOLERANCE, BYTES_TOLERANCE = 1.15, 1.15
FACTS = 8 * 1024
"""Bytes of memory that an image may take more: what is known of it while duplicates are found."""
TWO_HOSTS = 0.6
MIB, KIB = 2**20, 2**10

HEAD = """# A hundred times the images, measured
Written by `make bench-scale` on {cores} cores ({machine}, load at its start {load:.1f}): {sizes} images, each a changed
copy of one of {photographs:,} {kind}, 150 pixels a side, as JPEG. Prepare keeps {views} views of each training image at
{size} pixels; heads are tuned on {sample:,} images. What runs of these sizes take and cost on AWS: [scale.md](scale.md)

Each stage is a job of its own, laid out as SageMaker does it, with an empty cache. *Processor* is the time of all
processors, *memory* the most that the job's processes held at once, without memory-mapped files. As copies of a
photograph are in every split, the model's scores say nothing about other photographs.

| stage | images | seconds | processor ms an image | memory, MiB | written, KiB an image |
| --- | ---: | ---: | ---: | ---: | ---: |
"""
VERDICTS = """
## From {small:,} to {large:,} images
Processor time an image may grow by {time:.0%}, bytes written an image by {written:.0%}, and memory by {facts} KiB for
each image more: what is known of it until duplicates and splits are found.

| stage | processor time an image | bytes an image | memory, KiB for each image more | |
| --- | ---: | ---: | ---: | --- |
"""
HOSTS = """
## Two instances, {images:,} images
Prepare in one process on one core, and in two processes on a core each, which share the images; then the merge. The
time of both together is to be at most {most:.0%} of the time of one.

| stage | seconds | processor ms an image | memory, MiB |
| --- | ---: | ---: | ---: |
"""


@dataclass(frozen=True)
class Measured:
    """The stages of one size, and the share of its images that prepare used."""

    images: int
    used: float
    stages: Sequence[Stage]


@dataclass(frozen=True)
class Verdict:
    """How a stage's figures at the larger size compare with those at the smaller one."""

    stage: str
    time: float
    """Processor time an image, as a multiple."""
    written: float
    """Bytes an image, as a multiple."""
    memory: float
    """Bytes for each image more."""

    @property
    def holds(self) -> bool:
        return self.time <= TIME_TOLERANCE and self.written <= BYTES_TOLERANCE and self.memory <= FACTS


def verdicts(small: Measured, large: Measured) -> list[Verdict]:
    """One for each stage."""
    return [
        Verdict(
            stage=here.name,
            time=there.used.processor_seconds / large.images / (here.used.processor_seconds / small.images),
            written=there.written / large.images / (here.written / small.images),
            memory=(there.used.memory - here.used.memory) / (large.images - small.images),
        )
        for here, there in zip(small.stages, large.stages, strict=True)
    ]


def page(described: Mapping[str, object], sizes: Sequence[Measured], hosts: TwoHosts | None) -> Iterator[str]:
    """The page, in parts; `sizes` in ascending order, and `hosts` at the first of them."""
    small, large = sizes[0], sizes[-1]
    yield HEAD.format(
        cores=len(os.sched_getaffinity(0)),
        machine=platform.machine(),
        sizes=" and ".join(f"{size.images:,}" for size in sizes),
        **described,
    )
    for size in sizes:
        yield from (row(stage.name, size.images, stage) for stage in size.stages)
    yield "\n" + " ".join(f"Of {size.images:,} images prepare used {size.used:.1%}." for size in sizes) + "\n"
    yield VERDICTS.format(
        small=small.images,
        large=large.images,
        time=TIME_TOLERANCE - 1,
        written=BYTES_TOLERANCE - 1,
        facts=FACTS // KIB,
    )
    found = verdicts(small, large)
    yield from map(verdict_row, found)
    growing = [verdict.stage for verdict in found if not verdict.holds]
    yield f"\n**{'Growing: ' + ', '.join(growing) if growing else 'Flat in every stage'}.**\n"
    if hosts:
        yield from two_hosts(small.images, hosts)


def row(name: str, images: int, stage: Stage) -> str:
    used = stage.used
    a_image = 1000 * used.processor_seconds / images
    cells = (f"{images:,}", f"{used.seconds:,.0f}", f"{a_image:.2f}", f"{used.memory / MIB:,.0f}")
    return f"| {name} | {' | '.join(cells)} | {stage.written / images / KIB:.2f} |\n"


def verdict_row(verdict: Verdict) -> str:
    times = f"{verdict.time:.2f} times | {verdict.written:.2f} times | {verdict.memory / KIB:.1f}"
    return f"| {verdict.stage} | {times} | {'flat' if verdict.holds else 'grows'} |\n"


def two_hosts(images: int, hosts: TwoHosts) -> Iterator[str]:
    """The table of one process against two, and whether two are as fast as they should be."""
    yield HOSTS.format(images=images, most=TWO_HOSTS)
    for stage in hosts:
        used = stage.used
        a_image = 1000 * used.processor_seconds / images
        yield f"| {stage.name} | {used.seconds:,.1f} | {a_image:.2f} | {used.memory / MIB:,.0f} |\n"
    verdict = "as they should" if hosts.share <= TWO_HOSTS else "which is too much"
    yield f"\nTwo processes and the merge took **{hosts.share:.2f} of the time of one, {verdict}.**\n"
