"""Writes docs/cost.md: what runs of several sizes are expected to cost on AWS, and what that rests on."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec

from job_manager.domain.cost import upper_bound
from job_manager.domain.costs.assumptions import ASSUMPTIONS, Assumption, Range
from job_manager.domain.costs.expectation import Expectation, expectation
from job_manager.domain.costs.prices import PRICES, PRICES_DATE, PRICES_REGION
from job_manager.domain.plan import Plan
from job_manager.domain.scale import for_images
from job_manager.settings import Settings
from seedbed.bundle import TEMPLATE
from seedbed.deploy.template import TemplateFile

SIZES = (60, 4_027, 100_000, 1_000_000)
GOAL_IMAGES, GOAL_USD, GOAL_MINUTES = 4_027, 0.08, 30
LONG = 10**9
"""In seconds: a time limit that no stage reaches."""

ONE_HEAD_A_JOB = {
    "CachedViews": "8",
    "EvaluationViews": "8",
    "TrialCount": "20",
    "HeadsPerJob": "1",
    "ParallelTrials": "4",
    "UseSpot": "false",
    "FineTuneTrials": "2",
    "FineTuneParallelTrials": "2",
    "FineTuneEpochs": "16",
    "TrainingInstanceType": "ml.m5.large",
    "TrainingPricePerHour": "0.115",
    "FineTuneInstanceType": "ml.c5.2xlarge",
    "FineTunePricePerHour": "0.408",
    "TrialTimeLimitSeconds": "900",
    "FineTuneTimeLimitSeconds": "3600",
    "TuningTimeLimitSeconds": "7200",
}
DESIGNS: Mapping[str, Mapping[str, str]] = {
    "one head a job, on demand": ONE_HEAD_A_JOB,
    "the template's defaults": {},
}

HEAD = """# What a run costs on AWS
Written by `make cost-page` from the model in `functions/job_manager/domain/costs/expectation.py`; `seedbed cost` prints
the same for any number of images and any stack. **Nothing of it has been measured on AWS**: how long jobs take to start
and what spot instances cost are assumptions, listed below.

A run of four stages waits for a job's start at least four times, and pays for a part of that. A head trains in seconds,
so if each has a job of its own, nearly all of its billed time is the start. Several heads can share a job.
"""
BY_SIZE = """## By number of images
From the first job's creation to the last one's end, with time limits that suffice. The last column names the stages
that the default time limits may end sooner: training then continues with its best model so far, but a run in `prepare`
or `evaluate` fails, or is refused. `refit` trains the best heads on all images, after trials on a sample; with
PrepareInstances, many images are prepared on several instances.

| images | design | minutes | US$ for the jobs | and for uploads and requests | may reach its limit |
| ---: | --- | ---: | ---: | ---: | --- |
"""
BY_STAGE = """
| stage | jobs | minutes | US$ | bound in US$ |
| --- | --- | ---: | ---: | ---: |
"""
BASIS = """## What it rests on
Of two values, the lower end of the expectation uses the first, the upper end the second. Work on a machine with more
than two processors is divided by the speed-up of each doubling.

| value | from | to | source |
| --- | ---: | ---: | --- |
"""
PRICE_LIST = f"""
## Prices
US dollars per hour on demand in {PRICES_REGION}, as public price lists agreed on {PRICES_DATE}. A stack counts with
its own parameters, such as `TrainingPricePerHour`.

| instance | price |
| --- | ---: |
"""
PREDICTION_SECONDS, PREDICTION_READS = 0.2, 1
LAMBDA_GB_SECOND, LAMBDA_MILLION, API_MILLION, READ_MILLION = 0.0000166667, 0.20, 1.00, 0.125
PREDICTIONS = """
## A million predictions
US$ {total:.2f}: at {memory:,} MB a request of {seconds} s, one photograph averaged over 8 views, is US$ {run:.2f} of
Lambda's time; a million calls of Lambda are US$ {calls:.2f}, of the HTTP API US$ {api:.2f}, and reads of the table US$
{reads:.2f}. The time is an assumption, from what a laptop takes. A month without requests costs nothing.
API Gateway lets {rate} requests a second through: a whole day of them is US$ {day:.2f}, and at most US$ {most:.0f} if
each takes the {limit} s that the function has.
"""
LEFT_OUT = """
## What is left out
- The jobs' volumes, some $0.14 for a GB and month: 30 GiB for half an hour are $0.003.
- Storage in S3 and ECR, logs beyond the free tier, alarms: they cost by month, not by run.
- Memory and disk: whether a very large dataset fits a machine.
- Interruptions of spot instances, and waiting for one.
- What early stopping saves.
- The champion of an earlier run, which evaluate scores too, at the lower end.
- Backbones other than efficientnet-lite0 count as it does.
"""


def plan_with(values: Mapping[str, str]) -> Plan:
    """The functions' plan under the template's defaults and these values."""
    template = TemplateFile(TEMPLATE)
    environment = template.environment({**template.defaults, **values})
    return msgspec.convert(environment, Settings, strict=False).plan


def unlimited(plan: Plan) -> Plan:
    """The plan with time limits that no stage reaches."""
    stage = plan.fine_tuning
    return replace(
        plan,
        trial_time_limit=LONG,
        tuning_time_limit=LONG,
        processing_time_limit=LONG,
        fine_tuning=stage and replace(stage, trial_time_limit=LONG),
    )


def page() -> Iterator[str]:
    """The page, in parts."""
    plans = {name: plan_with(values) for name, values in DESIGNS.items()}
    yield HEAD + "\n"
    yield goal(expectation(plans["the template's defaults"], GOAL_IMAGES)) + "\n\n"
    yield BY_SIZE
    for images in SIZES:
        for name, plan in plans.items():
            yield size_row(images, name, plan)
    for name, plan in plans.items():
        bound = upper_bound(for_images(plan, GOAL_IMAGES))
        yield f"\n## {GOAL_IMAGES:,} images by stage: {name}\nAt most ${bound:.2f}.\n" + BY_STAGE
        yield from stage_rows(expectation(plan, GOAL_IMAGES))
    yield "\n" + BASIS
    yield from map(assumption_row, ASSUMPTIONS)
    yield PRICE_LIST
    yield from (f"| {instance} | {price} |\n" for instance, price in PRICES.items())
    yield predictions()
    yield LEFT_OUT


def predictions() -> str:
    """What predictions cost, and the most that they can."""
    resources = TemplateFile(TEMPLATE).content["Resources"]
    function, stage = resources["Predictions"]["Properties"], resources["HttpApiStage"]["Properties"]
    memory, limit = function["MemorySize"], function["Timeout"]
    rate = stage["RouteSettings"]["POST /predictions"]["ThrottlingRateLimit"]
    second = memory / 1024 * LAMBDA_GB_SECOND
    reads = READ_MILLION * PREDICTION_READS
    calls = LAMBDA_MILLION + API_MILLION + reads
    run = second * PREDICTION_SECONDS * 1e6
    a_day = rate * 86_400
    return PREDICTIONS.format(
        total=run + calls,
        memory=memory,
        seconds=PREDICTION_SECONDS,
        run=run,
        calls=LAMBDA_MILLION,
        api=API_MILLION,
        reads=reads,
        rate=rate,
        day=(run + calls) / 1e6 * a_day,
        most=(second * limit + calls / 1e6) * a_day,
        limit=limit,
    )


def goal(expected: Expectation) -> str:
    """Whether the goal is met at either end."""
    minutes, usd = expected.seconds * (1 / 60), expected.usd
    ends = {"lower": (usd.low, minutes.low), "upper": (usd.high, minutes.high)}
    met = [
        end for end, figures in ends.items() if round(figures[0], 3) <= GOAL_USD and round(figures[1]) <= GOAL_MINUTES
    ]
    verdict = f"met at the {' and the '.join(met)} end" if met else "missed"
    return (
        f"The goal for {GOAL_IMAGES:,} images is at most ${GOAL_USD} for the jobs, and {GOAL_MINUTES} minutes. "
        f"It is **{verdict}**:\nwith the template's defaults the model expects ${dollars_of(usd)} and "
        f"{minutes_of(expected.seconds)} minutes."
    )


def size_row(images: int, name: str, plan: Plan) -> str:
    expected = expectation(unlimited(plan), images)
    cut = [stage.stage for stage in expectation(plan, images).stages if stage.is_cut]
    cells = (f"{images:,}", name, minutes_of(expected.seconds), dollars_of(expected.usd))
    return f"| {' | '.join(cells)} | {expected.requests_usd:.4f} | {', '.join(cut)} |\n"


def stage_rows(expected: Expectation) -> Iterator[str]:
    for stage in expected.stages:
        jobs = f"{stage.jobs} x {stage.instance_type}"
        cells = (stage.stage, jobs, minutes_of(stage.seconds), dollars_of(stage.usd), f"{stage.bound_usd:.3f}")
        yield f"| {' | '.join(cells)} |\n"
    yield f"| all | | {minutes_of(expected.seconds)} | {dollars_of(expected.usd)} | |\n"


def assumption_row(assumption: Assumption) -> str:
    low, high = (f"{end:.3g}" if end < 10 else f"{end:.0f}" for end in (assumption.value.low, assumption.value.high))
    return f"| {assumption.meaning} | {low} | {'' if low == high else high} | {assumption.source} |\n"


def minutes_of(seconds: Range) -> str:
    return f"{seconds.low / 60:,.0f} to {seconds.high / 60:,.0f}"


def dollars_of(usd: Range) -> str:
    return f"{usd.low:.3f} to {usd.high:.3f}"


def main() -> None:
    """Prints the page."""
    sys.stdout.writelines(page())


if __name__ == "__main__":
    main()
