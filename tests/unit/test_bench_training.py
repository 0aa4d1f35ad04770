"""The page of `make bench-training`, for made-up results."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.training import jobs, ours, report
from benchmarks.training.results import Epoch, FineTuning, HeadWay, Results, Scores, Speed, Training, Verb
from benchmarks.training.template import default


def way(title: str, seconds: float, accuracy: float) -> HeadWay:
    verbs = [Verb("prepare", "features", seconds - 20), Verb("train", "a head", 5), Verb("evaluate", "scores", 15)]
    return HeadWay(title, verbs, Scores(600, accuracy, accuracy - 0.01))


RESULTS = Results(
    images=4027,
    drawn=False,
    shortest=way("the shortest", 100, 0.86),
    default=way("the default", 200, 0.9),
    fine_tuning=FineTuning(
        images=2800,
        verbs=[Verb("train", "whole", 350), Verb("evaluate", "scores", 50)],
        epochs=[Epoch(1, 150, 0.91), Epoch(2, 250, 0.95), Epoch(3, 350, 0.94)],
        scores=Scores(600, 0.96, 0.95),
    ),
    engines=[Speed("openvino", 50, 1e-6)],
    plain=[Training("MobileNetV2", 2816, 140, 14.0)],
    founding=Training("VGG19", 3192, 500, 7.0),
)


def row(page: str, start: str) -> list[str]:
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {start} |")]
    return line.strip("| ").split(" | ")


@pytest.mark.parametrize(
    ("seconds", "accuracy", "end"),
    [
        (100, 0.8376, ["60 times shorter", "yes"]),
        (150, 0.9, ["40 times shorter", "no"]),
        (100, 0.8375, ["not reached", "no"]),
    ],
)
def test_the_bar_uses_the_fewest_images_of_the_article(seconds: float, accuracy: float, end: list[str]) -> None:
    page = report.page(replace(RESULTS, shortest=way("the shortest", seconds, accuracy)))
    bar = page.split("## The verbs")[0]
    assert row(bar, "the shortest")[-2:] == end


def test_the_page_shows_both_projections() -> None:
    page = report.page(RESULTS)
    assert row(page, "42,000 images")[1:] == ["6,000", "projected: 1.7 hours"]
    assert row(page, "1,140,000 images")[1:] == ["162,857", "projected: 45.2 hours"]


def test_accuracies_are_sorted_by_time_without_the_heads_evaluation() -> None:
    page = report.page(RESULTS).split("## Accuracy against time")[1].split("\n## ")[0]
    seconds = [int(line.split()[1]) for line in page.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert seconds == [100, 200, 335, 435, 535, 585]


def test_fine_tuning_is_rated_by_its_median_epoch_without_the_first() -> None:
    page = report.page(RESULTS)
    assert row(page, f"MobileNetV2, {default('FineTuneSize')} px")[-1] == "2.00"


def test_the_page_says_whether_images_are_drawn() -> None:
    assert "drawn" not in report.page(RESULTS)
    assert "drawn" in report.page(replace(RESULTS, drawn=True))


def test_epochs_are_read_from_a_trials_log() -> None:
    metrics = "train_loss: 0.4102; train_accuracy: 0.8811; validation_loss: 0.5230; validation_accuracy: 0.8402;\n"
    lines = ["continuing\n", f"epoch 1/2 - {metrics}", f"epoch 2/2 - {metrics}", f"best epoch 2 - {metrics}"]
    ran = jobs.FinishedJob(Path(), 9, [jobs.LogLine(second, line) for second, line in enumerate(lines)])
    assert ours.epochs_of(ran) == [Epoch(1, 1, 0.8402), Epoch(2, 2, 0.8402)]


def test_a_verb_that_fails_ends_the_benchmark_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(SystemExit, match="prepare failed"):
        jobs.prepare(tmp_path / "job", tmp_path / "images", [])
