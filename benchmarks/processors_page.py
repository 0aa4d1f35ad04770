"""Writes docs/cpu-or-gpu.md: how fast whole networks train on processors that were measured, and what a GPU may cost.

python -m benchmarks.processors_page
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from job_manager.domain.costs.assumptions import EARLY_SHARE, START_BILLED
from job_manager.domain.costs.expectation import images_fine_tuned_on
from job_manager.domain.costs.prices import PRICES, PRICES_DATE, PRICES_REGION
from job_manager.domain.plan import FineTuning

from .cost_page import plan_with

DOCS = Path(__file__).parents[1] / "docs"
SIZES = (4_027, 10_000, 100_000)
CPU_INSTANCE = "ml.m5.large"
"""The instance with as many virtual processors as the machines of the benchmarks had cores."""

OURS = r"\| fine-tuning, 224 px \|[^|]*\| ([0-9.]+) \|"
FOUNDING = r"\| VGG19, 128 px, the founding recipe \|[^|]*\| ([0-9.]+) \|"
ON_GPU = r"\(([0-9,]+) images a second, one step of 32 after another\)"


@dataclass(frozen=True)
class Measured:
    """Images a second that a page of docs/ gives for training on a processor."""

    training: str
    processor: str
    page: str
    pattern: str

    @cached_property
    def rate(self) -> float:
        found = re.search(self.pattern, (DOCS / self.page).read_text(encoding="utf-8"))
        if not found:
            raise ValueError(f"docs/{self.page} doesn't say how fast {self.training} is on {self.processor}.")
        return float(found[1].replace(",", ""))


CPU = Measured("whole network, 224 px", "2 cores with AMX, before decision 57", "bench-training.md", OURS)
GPU = Measured("whole network, 224 px", "NVIDIA H200, JAX, before decision 57", "changes.md", ON_GPU)
RATES = (
    Measured("the article's VGG19, 128 px", "2 cores with AVX2 alone", "bench-training-avx2.md", FOUNDING),
    Measured("the article's VGG19, 128 px", "2 cores with AMX", "bench-training.md", FOUNDING),
    Measured("whole network, 224 px", "2 cores with AVX2 alone, since decision 57", "bench-training-avx2.md", OURS),
    CPU,
    GPU,
)

HEAD = """# A CPU or a GPU
Written by `make processors-page` from the benchmarks' pages and the price list of `seedbed cost`. The founding article
tuned its network with eight jobs, on CPUs for US$ 5.38 and on a GPU for US$ 3.78: there the GPU was both faster and
cheaper. For Seedbed it is faster. Whether it is cheaper depends on how much there is to train.

**The quick plan needs no GPU.** Its heads train on features in seconds, and a job's start, {low:.0f} to {high:.0f} s
by assumption, costs more than that on any instance. What follows is about the full plan's training of whole networks.

## How fast
The last column is a training of {epochs} epochs on 4,027 photographs, {share:.0%} of them on smaller images, which
count by their share of the work. Seedbed's network is EfficientNet-Lite0.

| training | processor | images/s | minutes |
| --- | --- | ---: | ---: |
"""
BREAK_EVEN = """
## What a GPU may cost
A training job of {epochs} epochs costs US$ as in the second column on {instance}, at US$ {price} an hour on demand in
{region} on {date}, if it is as fast as 2 cores of the benchmark. A GPU as fast as that H200 is the cheaper one if its
instance costs less than the third and fourth column say, in US$ an hour. Starts are billed on both.

| photographs | on the CPU | start of {low:.0f} s | start of {high:.0f} s |
| ---: | ---: | ---: | ---: |
"""
END = """
However much there is to train, the limit is US$ {limit:.2f} an hour: the GPU is {faster:.0f} times as fast, and so may
cost {faster:.0f} times as much.
- A GPU is worth its price where people wait: an epoch of 4,027 photographs takes seconds instead of a minute.
- It brings no accuracy of its own: the same network trained on CPUs is as good, within chance ([harmless
  changes](changes.md), [decision 57](decisions/0057-networks-are-trained-in-half-the-time.md)).
- Not measured: GPUs that SageMaker rents out by the hour one at a time, such as T4 and A10G; a GPU on decision 57's
  network, which trains faster; several GPUs; anything on AWS itself. [The training image](training-image.md#with-a-gpu)
  says how to train on a GPU there.
- The article's prices are its own, of another year and of VGG19;
  [the notebook](../examples/founding_article/tuning.ipynb) sets them beside a run of today.
"""


def page() -> Iterator[str]:
    """The page, in parts."""
    start, epochs = START_BILLED.value, round(fine_tuning().expected_epochs)
    yield HEAD.format(low=start.low, high=start.high, epochs=epochs, share=EARLY_SHARE.value.low)
    for measured in RATES:
        ours = measured.pattern != FOUNDING
        minutes = f"{passes(SIZES[0]) / measured.rate / 60:.1f}" if ours else ""
        source = f"[{measured.processor}]({measured.page})"
        yield f"| {measured.training} | {source} | {measured.rate:,.4g} | {minutes} |\n"
    yield BREAK_EVEN.format(
        epochs=epochs,
        instance=CPU_INSTANCE,
        price=PRICES[CPU_INSTANCE],
        region=PRICES_REGION,
        date=PRICES_DATE,
        low=start.low,
        high=start.high,
    )
    for images in SIZES:
        on_cpus = " to ".join(f"{on_cpu(images, seconds):.3f}" for seconds in (start.low, start.high))
        cheaper_below = " | ".join(f"{break_even(images, seconds):.2f}" for seconds in (start.low, start.high))
        yield f"| {images:,} | {on_cpus} | {cheaper_below} |\n"
    faster = GPU.rate / CPU.rate
    yield END.format(faster=faster, limit=faster * PRICES[CPU_INSTANCE])


@cache
def fine_tuning() -> FineTuning:
    """What the template's full plan trains whole networks by."""
    stage = plan_with({}).fine_tuning
    assert stage
    return stage


def passes(images: int) -> float:
    """The images that one of its trials passes through."""
    return images_fine_tuned_on(fine_tuning(), images)


def on_cpu(images: int, start: float) -> float:
    """The price of a training job in US dollars, with the start of so many seconds."""
    return (start + passes(images) / CPU.rate) * PRICES[CPU_INSTANCE] / 3600


def break_even(images: int, start: float) -> float:
    """The price of an hour in US dollars at which the GPU costs as much for that training."""
    return on_cpu(images, start) * 3600 / (start + passes(images) / GPU.rate)


def main() -> None:
    """Prints the page."""
    sys.stdout.writelines(page())


if __name__ == "__main__":
    main()
