"""The calls that very many uploads make to AWS, and their cost: python -m benchmarks.bench_load

The functions' real code handles the events with an in-memory AWS that counts each call. The snapshot of a million keys
is taken in a separate process through the real adapter, from a synthetic listing.
"""

import argparse
import hashlib
import math
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from job_manager.aws.s3 import S3Bucket
from job_manager.domain import listing
from job_manager.domain.dataset import take_snapshot
from job_manager.steps.reconcile import reconcile
from tests.chaos.aftermath import calm_down
from tests.chaos.load import LoadedCloud
from tests.fakes.world import FULL_PLAN, World, a_run

UPLOADS, A_SECOND, DOUBLED = 100_000, 500, 0.1
KEYS, PAGE = 1_000_000, 1000
MIB = 1024**2

# List prices of us-east-1 in US dollars, for one.
LAMBDA_REQUEST, LAMBDA_GIB_SECOND = 0.20e-6, 0.0000133334
SQS_REQUEST, EVENT, SNS_PUBLISH = 0.40e-6, 1.00e-6, 0.50e-6
S3_WRITE, S3_READ = 0.005e-3, 0.0004e-3
WRITE_UNIT, READ_UNIT = 0.625e-6, 0.125e-6

WRITES = {"update_item": 2, "put_item": 2, "delete_item": 2, "transact_write_items": 60}
READS = {"get_item": 3, "query": 50}
LISTS_AND_PUTS = ("list_objects_v2", "put_object")
GETS = ("get_object", "head_object")
SECONDS_A_CALL = 0.05
MEMORY_GIB = 1.0

IDLE_DAYS, IDLE_IMAGES = 30, (60, 4_027, 100_000, 1_000_000)
RECONCILES = IDLE_DAYS * 24 * 12
SECONDS_A_PAGE = 0.1
# A call without a listing: two consistent reads of an item, two queries of which one reads ten runs, half a second.
RECONCILE_COST = LAMBDA_REQUEST + 0.5 * MEMORY_GIB * LAMBDA_GIB_SECOND + 25 * READ_UNIT


def cost(events: int, called: Mapping[str, int], invoked: Mapping[str, int]) -> dict[str, float]:
    """US dollars by purpose; request units and seconds per call are high estimates."""
    sent = called.get("send_message", 0)
    polls = 2 * math.ceil((events + sent) / 10)
    seconds = sum(called.values()) * SECONDS_A_CALL + 0.1 * sum(invoked.values())
    return {
        "EventBridge, S3's events": events * EVENT,
        "SQS, sends, and receives and deletes in batches of ten": (events + sent + polls) * SQS_REQUEST,
        "Lambda": sum(invoked.values()) * LAMBDA_REQUEST + seconds * MEMORY_GIB * LAMBDA_GIB_SECOND,
        "DynamoDB": sum(called.get(name, 0) * units for name, units in WRITES.items()) * WRITE_UNIT
        + sum(called.get(name, 0) * units for name, units in READS.items()) * READ_UNIT,
        "S3, listing and snapshot": sum(called.get(name, 0) for name in LISTS_AND_PUTS) * S3_WRITE
        + sum(called.get(name, 0) for name in GETS) * S3_READ,
        "SNS": called.get("publish", 0) * SNS_PUBLISH,
    }


def uploads(count: int) -> Iterator[str]:
    """The section on many uploads, as Markdown."""
    cloud = LoadedCloud()
    began = time.process_time()
    cloud.upload_many(count, A_SECOND, DOUBLED, seed=1)
    broken = calm_down(cloud)
    spent = time.process_time() - began
    events = round(count * (1 + DOUBLED))
    yield f"## {count:,} uploads, {A_SECOND} per second, {DOUBLED:.0%} of their events delivered twice\n"
    yield f"{len(cloud.watch.ended)} run, broken promises: {len(broken)}. {spent:.1f} s of processor time, at most"
    yield f"{cloud.most_waiting:,} messages waiting, {resident():.0f} MiB of memory with the simulation.\n"
    yield "| call | calls | per 1,000 uploads |\n| --- | ---: | ---: |"
    for name, number in cloud.called.most_common():
        yield f"| {name} | {number:,} | {1000 * number / count:.2f} |"
    yield f"| all | {sum(cloud.called.values()):,} | {1000 * sum(cloud.called.values()) / count:.2f} |"
    yield f"\nFunctions invoked: {', '.join(f'{name} {number:,}' for name, number in cloud.invoked.most_common())}.\n"
    yield from bill(events, cloud.called, cloud.invoked, 1_000_000 / count)


def bill(events: int, called: Counter[str], invoked: Counter[str], times: float) -> Iterator[str]:
    yield "| a million uploads at list prices | US dollars |\n| --- | ---: |"
    costs = {name: times * dollars for name, dollars in cost(events, called, invoked).items()}
    for name, dollars in costs.items():
        yield f"| {name} | {dollars:.4f} |"
    yield f"| all except the run's jobs and the PUT requests of the uploads | {sum(costs.values()):.2f} |"


def idle() -> Iterator[str]:
    """The section on a month in which nothing changes, as Markdown."""
    yield f"## A month of {IDLE_DAYS} days in which nothing changes, in US dollars\n"
    yield "Reconcile is called every five minutes. Before, it listed the whole bucket each time.\n"
    yield (
        "| images | listings | cost of listings | cost of reconcile's calls | both | before |\n| --- "
        + "| ---: " * 5
        + "|"
    )
    for images in IDLE_IMAGES:
        world = World()
        world.complete(world.start().run_id)
        before = world.bucket.listed
        with patch.object(listing, "KEYS_A_PAGE", 12 * PAGE / images):
            for _ in range(RECONCILES):
                world.clock.forward(IDLE_DAYS * 24 * 3600 / RECONCILES)
                reconcile(world, world.plan, world.rule)
        listings = world.bucket.listed - before
        listed, called = listings * listing_cost(images), RECONCILES * RECONCILE_COST
        first = RECONCILES * (listing_cost(images) + RECONCILE_COST)
        yield f"| {images:,} | {listings:,} | {listed:.3f} | {called:.3f} | {listed + called:.2f} | {first:.2f} |"


def listing_cost(images: int) -> float:
    """US dollars of one listing: its requests, and the time of the function that waits for them."""
    pages = math.ceil(images / PAGE)
    return pages * (S3_WRITE + SECONDS_A_PAGE * MEMORY_GIB * LAMBDA_GIB_SECOND)


class Listing:
    """An S3 client whose bucket holds a million synthetic images."""

    exceptions = SimpleNamespace()

    def get_paginator(self, _: str) -> "Listing":
        """Itself."""
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        """All pages of the listing."""
        for first in range(0, KEYS, PAGE):
            yield {"Contents": [an_object(number) for number in range(first, first + PAGE)]}

    def put_object(self, **request: Any) -> None:
        """Prints the size of the object instead of storing it."""
        sys.stdout.write(f"| {request['Key'].rpartition('/')[2]}, written | {len(request['Body']) / MIB:.0f} MiB |\n")


def an_object(number: int) -> dict[str, Any]:
    etag = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    key = f"seedlings/Label {number * 12 // KEYS:02}/IMG_{number:08}.png"
    return {"Key": key, "ETag": f'"{etag}"', "Size": 300_000 + number}


def snapshot_of_a_million() -> None:
    """Takes and writes the snapshot, and prints its time and memory: start_run has 1,024 MiB and 300 s."""
    began = time.process_time()
    bucket = S3Bucket(Listing(), "bucket")  # type: ignore[arg-type]
    before = resident()
    snapshot = take_snapshot(bucket.objects())
    version = snapshot.version(FULL_PLAN)
    bucket.write_snapshot(a_run(f"sb-{version[:16]}-1"), snapshot)
    sys.stdout.write(f"| processor time, with the synthetic listing | {time.process_time() - began:.1f} s |\n")
    sys.stdout.write(f"| maximum memory, with {before:.0f} MiB from before | {resident():.0f} MiB |\n")


def resident() -> float:
    """The maximum memory that this process has used, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Prints the report."""
    parser = argparse.ArgumentParser(description="The calls that very many uploads make to AWS, and their cost.")
    parser.add_argument("--snapshot", action="store_true", help="only the snapshot, without a heading")
    if parser.parse_args().snapshot:
        snapshot_of_a_million()
        return
    sys.stdout.write("# Load\nWritten by `make bench-load`.\n\n" + "\n".join(uploads(UPLOADS)) + "\n\n")
    sys.stdout.write("\n".join(idle()) + "\n\n")
    sys.stdout.write(f"## A snapshot of {KEYS:,} keys\n\n| | |\n| --- | ---: |\n")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "benchmarks.bench_load", "--snapshot"], check=True)


if __name__ == "__main__":
    main()
