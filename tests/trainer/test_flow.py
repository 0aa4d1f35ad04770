"""The verbs as SageMaker runs them: real processes, hyperparameters as text, and a directory in place of /opt/ml."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.children import exited, started
from tests.trainer.conftest import CONTAINER, WITHOUT_NETWORK, Flow, Run, isolation, training_job
from tests.trainer.painting import LABELS, paint_dataset
from trainer import pack
from trainer.archive import sha256_of
from trainer.backbones import build_backbone
from trainer.decoding.limits import TOO_LONG
from trainer.keras_loader import keras

METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
EPOCH = r"epoch (\d+)/3 - " + " ".join(rf"{name}: [0-9.]+;" for name in METRICS)


def test_every_verb_succeeds_without_output_of_native_code(flow: Flow) -> None:
    for verb, process in flow.log.items():
        assert (verb, process.returncode, process.stderr) == (verb, 0, "")


def test_no_job_needs_a_network(flow: Flow) -> None:
    if not isolation():
        pytest.skip("this machine can't run processes without a network (unshare --net)")
    for verb, process in flow.log.items():
        assert " ".join(WITHOUT_NETWORK) in " ".join(map(str, process.args)), verb  # after the launcher
        assert process.returncode == 0, process.stderr


def test_prepare_reports_each_file_once(flow: Flow) -> None:
    report = flow.report()
    assert report["images"] == 97
    assert report["used"] == sum(sum(splits.values()) for splits in report["labels"].values()) == 91
    assert report["labels"].keys() == LABELS.keys()
    assert report["duplicates"] == [{"file": "Maize/copy.png", "reason": "the same image as Maize/003 a+b 50% #ä.png"}]
    mirrored = {
        "file": "Maize/mirrored.png",
        "reason": "nearly the same as Maize/007 a+b 50% #ä.png of the test split",
    }
    assert report["near_duplicates"] == [mirrored]
    assert report["warnings"] == []
    assert report["refused"] == [
        {"file": "Maize/costly.jpg", "reason": TOO_LONG},
        {"file": "Maize/link.png", "reason": "a link, which is not followed"},
        {"file": "Maize/notes.jpg", "reason": "not an image: a text file by its content"},
        {"file": "Maize/?.png", "reason": "its name is not valid UTF-8"},
    ]
    assert (report["backbones"], report["image_size"], report["views"]) == (["efficientnet-lite0"], 48, 3)
    assert report["fine_tune_size"] == 40
    assert report["seconds"] > 0


def test_prepare_prints_its_progress(flow: Flow) -> None:
    progress = re.findall(r"^progress: (\d+)/97 images$", flow.log["prepare"].stdout, re.MULTILINE)
    assert [int(done) for done in progress] == sorted({int(done) for done in progress})
    assert progress[-1] == "97"


def test_the_pack_holds_features_images_and_photographs_of_each_split(flow: Flow) -> None:
    report = flow.report()
    splits = ("train", "validation", "test")
    images = {split: sum(of_label[split] for of_label in report["labels"].values()) for split in splits}
    training, labels = pack.read_features(flow.pack / "features", "efficientnet-lite0", "train")
    assert training.shape == (images["train"], 3, 9584)
    assert isinstance(training, np.ndarray), "few features are in memory"
    (shard,) = (flow.pack / "features").glob("train-efficientnet-lite0-algo-1-*.npy")
    kept = np.load(shard, mmap_mode="r")
    assert (kept.dtype, training.dtype) == (np.dtype(np.float16), np.dtype(np.float32))
    assert len(kept) == images["train"] + 1, "also of the image that the merge leaves out"
    assert not np.array_equal(training[:, 0], training[:, 1])
    validation, _ = pack.read_features(flow.pack / "features", "efficientnet-lite0", "validation")
    assert validation.shape == (images["validation"], 1, 9584)
    fine = pack.read_training(flow.pack / "training", "train")
    assert fine.images.shape == (images["train"], 40, 40, 3)
    assert fine.images.dtype == np.dtype(np.uint8)
    assert np.array_equal(fine.labels, labels)
    assert len(pack.read_photos(flow.pack / "validation").names) == images["validation"]
    assert len(pack.read_photos(flow.pack / "test").names) == images["test"]
    with Image.open(flow.pack / "mosaic.jpg") as mosaic:
        assert mosaic.format == "JPEG"
    assert {file.name for file in flow.pack.iterdir() if file.is_dir()} == {
        "features",
        "training",
        "validation",
        "test",
    }


def test_prepare_checks_labels_and_draws_thumbnails(flow: Flow) -> None:
    wrong = json.loads((flow.pack / "likely_wrong.json").read_text(encoding="utf-8"))
    assert flow.report()["likely_wrong_labels"] == len(wrong)
    assert all(label["label"] != label["suggested"] in LABELS for label in wrong)
    index = json.loads((flow.pack / "thumbnails.json").read_text(encoding="utf-8"))
    assert index["samples"].keys() == LABELS.keys()
    assert {"Maize/copy.png", "Maize/mirrored.png"} <= set(index["files"])
    with Image.open(flow.pack / "thumbnails.jpg") as sheet:
        assert sheet.width == index["side"] * index["columns"]


def test_train_prints_a_line_per_epoch_and_the_best_epoch_last(flow: Flow) -> None:
    lines = flow.log["train"].stdout.splitlines()
    assert [match.group(1) for line in lines if (match := re.fullmatch(EPOCH, line))] == ["1", "2", "3"]
    best = re.fullmatch(r"best epoch (\d+) - (.*)", lines[-1])
    assert best
    assert lines[int(best.group(1)) - 1].endswith(best.group(2))


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_definition_matches_once_per_line(metric: str, flow: Flow) -> None:
    lines = flow.log["train"].stdout.splitlines()
    found = [re.findall(rf"{metric}: ([0-9.]+)", line) for line in lines]
    assert [len(values) for values in found] == [1, 1, 1, 1]
    assert all(float(values[0]) >= 0 for values in found)


def test_the_model_folder_holds_the_head_and_its_facts(flow: Flow) -> None:
    folder = flow.train / "model"
    assert {file.name for file in folder.iterdir()} == {"head.keras", "model.json"}
    facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert facts["labels"] == sorted(LABELS)
    assert (facts["backbone"], facts["image_size"]) == ("efficientnet-lite0", 48)
    assert facts["hyperparameters"]["learning_rate"] == 0.003
    assert facts["hyperparameters"]["seed"] == 7
    assert facts["kind"] == "head"
    last = re.findall(r"validation_accuracy: ([0-9.]+)", flow.log["train"].stdout)[-1]
    assert facts["validation_accuracy"] == float(last)


def test_fine_tuning_starts_from_the_head_and_saves_the_whole_network(flow: Flow) -> None:
    lines = flow.log["fine-tune"].stdout.splitlines()
    assert len(lines) == 3
    best = re.fullmatch(r"best epoch \d+ - .*validation_accuracy: ([0-9.]+);", lines[-1])
    assert best
    assert float(best.group(1)) >= 0.9
    assert {file.name for file in (flow.fine_tune / "model").iterdir()} == {"model.keras", "model.json"}
    facts = json.loads((flow.fine_tune / "model/model.json").read_text(encoding="utf-8"))
    assert (facts["kind"], facts["image_size"]) == ("fine-tune", 40)


def test_fine_tuning_trains_all_convolutions_but_early_and_depthwise_ones(flow: Flow) -> None:
    tuned = keras.saving.load_model(flow.fine_tune / "model/model.keras")
    pretrained = build_backbone("efficientnet-lite0", 40)
    changed = {
        layer.name: not np.array_equal(layer.get_weights()[0], tuned.get_layer(layer.name).get_weights()[0])
        for layer in pretrained.layers
        if layer.weights
    }
    early = {name for name in changed if name == "stem" or name.startswith(("block0_", "block1_", "block2_"))}
    early |= {"block3_expand"}  # the last at a quarter of the images' side
    depthwise = {name for name in changed if name.endswith("_depthwise")}
    trained = {name for name, has_changed in changed.items() if has_changed}
    assert trained == changed.keys() - early - depthwise
    assert len(trained) == 26


@pytest.mark.parametrize("trial", ["train", "fine_tune"])
def test_tensorboard_reads_every_epochs_metrics(trial: str, flow: Flow) -> None:
    log = EventAccumulator(str(getattr(flow, trial) / "output/data")).Reload()
    assert set(log.Tags()["scalars"]) == {"loss/train", "accuracy/train", "loss/validation", "accuracy/validation"}
    said = re.findall(r"^epoch.*validation_accuracy: ([0-9.]+)", flow.log[trial.replace("_", "-")].stdout, re.MULTILINE)
    seen = [scalar.value for scalar in log.Scalars("accuracy/validation")]
    assert seen == pytest.approx([float(accuracy) for accuracy in said], abs=1e-4)


def test_evaluate_compares_the_best_trial_its_rival_and_both(flow: Flow) -> None:
    found = flow.scores()["candidates"]
    assert [(candidate["name"], candidate["views"]) for candidate in found] == [
        (name, views) for name in ("The best trial", "Its rival", "Both, averaged") for views in (1, 8)
    ]
    (chosen,) = [candidate for candidate in found if candidate["chosen"]]
    assert chosen["validation_log_loss"] == min(candidate["validation_log_loss"] for candidate in found)


def test_evaluate_writes_its_mistakes(flow: Flow) -> None:
    mistakes = json.loads((flow.evaluation / "mistakes.json").read_text(encoding="utf-8"))
    scores = flow.scores()

    assert len(mistakes) == min(24, round((1 - scores["accuracy"]) * scores["images"]))
    for mistake in mistakes:
        assert set(mistake) == {"file", "truth", "predicted", "confidence", "picture", "heat_map"}
        assert mistake["truth"] != mistake["predicted"]


def test_evaluate_writes_what_it_predicts_for_each_test_photograph(flow: Flow) -> None:
    predictions = json.loads((flow.evaluation / "predictions.json").read_text(encoding="utf-8"))
    scores = flow.scores()
    confusion = [[0] * len(LABELS) for _ in LABELS]
    for prediction in predictions:
        confusion[scores["labels"].index(prediction["truth"])][scores["labels"].index(prediction["predicted"])] += 1

    assert confusion == scores["confusion"]
    assert len({prediction["content"] for prediction in predictions}) == scores["images"]
    assert all(prediction["file"].partition("/")[0] == prediction["truth"] for prediction in predictions)


def test_evaluate_writes_a_report_a_model_card_and_the_exports(flow: Flow) -> None:
    left = {file.name for file in flow.evaluation.iterdir()}
    of_the_model = {"model.tar.gz", "model.json", "model_card.md", "model_card.json", "exports"}
    assert left == {"evaluation.json", "mistakes.json", "mistakes", "predictions.json", "report.html", *of_the_model}
    (made,) = flow.scores()["exports"]
    files = [file for file in (flow.evaluation / made["file"]).rglob("*") if file.is_file()]
    assert made["format"] == "saved_model"
    assert made["bytes"] == sum(file.stat().st_size for file in files) > 1_000_000
    assert made["largest_difference"] < 1e-3


def test_evaluate_records_the_digests_of_the_files_that_a_person_takes(flow: Flow) -> None:
    scores = flow.scores()
    recorded = scores["files"] | scores["exports"][0]["files"]
    assert {"model.json", "model_card.md", "exports/saved_model/saved_model.pb"} <= recorded.keys()
    assert recorded == {name: sha256_of(flow.evaluation / name) for name in recorded}


def test_the_archive_holds_the_same_model_json_as_lies_beside_it(flow: Flow) -> None:
    with tarfile.open(flow.evaluation / "model.tar.gz") as archive:
        inner = archive.extractfile("model.json")
        assert inner
        assert inner.read() == (flow.evaluation / "model.json").read_bytes()


def test_the_evaluation_covers_the_test_split(flow: Flow) -> None:
    scores, report = flow.scores(), flow.report()
    tested = {label: splits["test"] for label, splits in report["labels"].items()}
    assert scores["labels"] == sorted(LABELS)
    assert scores["images"] == sum(tested.values()) == np.sum(scores["confusion"])
    assert {label: figures["images"] for label, figures in scores["per_label"].items()} == tested
    assert scores["accuracy"] == pytest.approx(np.trace(scores["confusion"]) / scores["images"], abs=1e-4)
    low, high = scores["accuracy_interval"]
    assert low <= scores["accuracy"] <= high
    assert scores["champion"] is None


def test_clearly_different_colours_are_learnt(flow: Flow) -> None:
    assert flow.scores()["accuracy"] >= 0.9


def test_the_same_seed_gives_the_same_trial(flow: Flow, run_trainer: Run, tmp_path: Path) -> None:
    shutil.copytree(flow.train / "input", tmp_path / "input", symlinks=True)
    again = run_trainer(tmp_path, "train")
    assert again.stdout == flow.log["train"].stdout


def test_predict_writes_a_row_per_image_and_names_unreadable_files(
    flow: Flow, run_trainer: Run, tmp_path: Path
) -> None:
    paint_dataset(tmp_path / "new", per_label=2, first_seed=500)
    (tmp_path / "new/broken.jpg").write_bytes(b"\xff\xd8\xff")
    model = str(flow.evaluation / "model.tar.gz")
    process = run_trainer(tmp_path, "predict", "--model", model, "--csv", "-", str(tmp_path / "new"))
    assert process.returncode == 0
    assert re.fullmatch(r".*/new/broken\.jpg: .+\n", process.stderr)
    header, *rows = csv.reader(io.StringIO(process.stdout))
    assert header == ["file", "label", "confidence", "sure"]
    assert len(rows) == 6
    assert all(Path(file).parent.name == label for file, label, _, _ in rows)
    assert all(1 / 3 < float(confidence) <= 1 for _, _, confidence, _ in rows)


def test_a_failed_training_writes_its_sentence_for_sagemaker(tmp_path: Path, run_trainer: Run) -> None:
    (tmp_path / "input/config").mkdir(parents=True)
    (tmp_path / "input/config/hyperparameters.json").write_text('{"epochs": "many"}')
    process = run_trainer(tmp_path, "train")
    assert process.returncode == 1
    sentence = (tmp_path / "output/failure").read_text()
    assert "epochs" in sentence
    assert process.stderr == sentence + "\n"


def test_a_refused_dataset_writes_a_sentence_and_a_report(tmp_path: Path, run_trainer: Run) -> None:
    paint_dataset(tmp_path / "processing/input/images", per_label=3)
    process = run_trainer(tmp_path, "prepare", "--image-size", "48", "--views", "1")
    assert process.returncode == 1
    assert "Two labels with at least 10 usable images" in (tmp_path / "output/message").read_text()
    report = json.loads((tmp_path / "processing/output/report.json").read_text(encoding="utf-8"))
    assert report["used"] == 0
    assert {refusal["reason"] for refusal in report["refused"]} == {
        "too few images of its label: 3 usable, at least 10 are needed"
    }


@pytest.mark.parametrize(
    "arguments",
    [("prepare", "--views", "9"), ("prepare", "--colour"), ("evaluate", "--champion-sha256", "abc"), ("bake",), ()],
)
def test_invalid_arguments_fail_with_a_sentence(arguments: tuple[str, ...], tmp_path: Path, run_trainer: Run) -> None:
    process = run_trainer(tmp_path, *arguments)
    assert process.returncode == 1
    assert (tmp_path / "output/message").read_text() == process.stderr.strip()


def test_a_stopped_training_saves_the_best_so_far(flow: Flow, tmp_path: Path) -> None:
    training_job(tmp_path, {"epochs": "10000"}, features=flow.pack / "features")
    with started(
        [sys.executable, "-m", "trainer", "train"],
        cwd=CONTAINER,
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("epoch 1/10000 - ")
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert exited(process) == 0
    assert rest.splitlines()[-1].startswith("best epoch ")
    assert (tmp_path / "model/head.keras").is_file()
