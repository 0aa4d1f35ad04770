"""The page of the measurements."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .clock import Times

ONE_VIEW_MS, COLD_MS, TIMES_PREDICT = 8.0, 1500.0, 10.0


@dataclass(frozen=True, kw_only=True)
class Results:
    """What was measured; times are milliseconds, by number of threads and of views or by Keras's method."""

    real: bool
    machine: str
    load: float
    network_bytes: int
    cold: Sequence[Mapping[str, float]]
    answers: Mapping[int, Mapping[str, Times]]
    runs: Mapping[int, Mapping[str, Times]]
    keras: Mapping[int, Mapping[str, Times]]
    photographs: int
    largest_difference: float
    agreement: float
    accuracies: tuple[float, float]


PAGE = """# Predictions without a server: how fast

Measured on {machine} by `make bench-predictions`, at a load of {load:.1f} when it ended: at a load above the number of
cores, times by the clock say more of the other programs than of this one. The network is EfficientNet-Lite0 at 224
pixels, {megabytes:.1f} MB as ONNX. Times are milliseconds; *processor* is the time of the process on all cores.

## A cold start
Median of {starts} processes, from their start, without what Lambda itself takes and without the calls to AWS.

{cold}

## Warm
A whole answer: decode the file in the decoder's process, classify it, write JSON. Then the network alone.

{warm}

## Beside Keras, one image in one view
{keras}

## The same answers
On {photographs} {kind} that the model was not fitted on, the largest difference of a probability is
{difference:.1e}; {agreement:.2%} of the labels are the same; accuracy is {keras_accuracy:.2%} by Keras and
{accuracy:.2%} by onnxruntime.

## The bars
{bars}
"""


def page(results: Results) -> str:
    """The page in Markdown."""
    return PAGE.format(
        machine=results.machine,
        load=results.load,
        megabytes=results.network_bytes / 1e6,
        starts=len(results.cold),
        cold="\n".join(cold_table(results.cold)),
        warm="\n".join(warm_table(results)),
        keras="\n".join(keras_table(results)),
        photographs=results.photographs,
        kind="photographs of Plant Seedlings" if results.real else "drawn seedlings",
        difference=results.largest_difference,
        agreement=results.agreement,
        keras_accuracy=results.accuracies[0],
        accuracy=results.accuracies[1],
        bars="\n".join(bars(results)),
    )


def cold_table(cold: Sequence[Mapping[str, float]]) -> list[str]:
    rows, before = ["| until | ms | of these |", "|---|---:|---:|"], 0.0
    for name in cold[0]:
        median = statistics.median(one[name] for one in cold)
        rows.append(f"| {name} | {median:,.0f} | {median - before:,.0f} |")
        before = median
    return rows


def warm_table(results: Results) -> list[str]:
    rows = [
        "| views | threads | answer p50 | answer p99 | network p50 | network, processor |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for threads, by_views in results.answers.items():
        for views, answer in by_views.items():
            run = results.runs[threads][views]
            rows.append(
                f"| {views} | {threads} | {answer.p50:.1f} | {answer.p99:.1f} | {run.p50:.1f} | {run.processor:.1f} |"
            )
    return rows


def keras_table(results: Results) -> list[str]:
    rows = [
        "| threads | by | p50 | p99 | processor | onnxruntime's p50 is | its processor time is |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for threads, methods in results.keras.items():
        ours = results.runs[threads]["1"]
        rows.append(f"| {threads} | onnxruntime | {ours.p50:.1f} | {ours.p99:.1f} | {ours.processor:.1f} | | |")
        for name, took in methods.items():
            quicker, less = took.p50 / ours.p50, took.processor / ours.processor
            rows.append(
                f"| {threads} | `{name}` | {took.p50:.1f} | {took.p99:.1f} | {took.processor:.1f} "
                f"| {quicker:.1f} x quicker | {less:.1f} x less |"
            )
    return rows


def bars(results: Results) -> list[str]:
    cold = statistics.median(one["first answer"] for one in results.cold)
    ours, predict = results.runs[2]["1"], results.keras[2]["predict"]
    rows = [
        ("one view, processor, one thread", results.runs[1]["1"].processor, "at most", ONE_VIEW_MS, " ms"),
        ("cold start", cold, "at most", COLD_MS, " ms"),
        ("`predict` beside it by the clock, two threads", predict.p50 / ours.p50, "at least", TIMES_PREDICT, " x"),
    ]
    table = ["| what | measured | wanted | |", "|---|---:|---:|---|"]
    for what, value, side, wanted, unit in rows:
        met = value <= wanted if side == "at most" else value >= wanted
        table.append(f"| {what} | {value:,.1f}{unit} | {side} {wanted:,.0f}{unit} | {'met' if met else 'missed'} |")
    return table
