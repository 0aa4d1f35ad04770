"""The image's entry point: `python -m trainer prepare|train|evaluate`."""

import argparse
import logging
import sys
from collections.abc import Sequence

from trainer.errors import TrainerError
from trainer.job import Job


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; 0 when it is done, 1 after a failure, whose sentence is printed and left for SageMaker."""
    chosen = _parser().parse_args(arguments)
    job = Job()
    try:
        _run(chosen, job)
    except Exception as error:  # noqa: BLE001 - whatever stops the job must reach its FailureReason
        sentence = str(error) if isinstance(error, TrainerError) else f"Unexpected {type(error).__name__}: {error}"
        job.tell_failure(sentence, training=chosen.verb == "train")
        if not isinstance(error, TrainerError):
            logging.exception("the job failed")
        sys.stderr.write(sentence + "\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trainer", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    prepare = verbs.add_parser("prepare", help="labelled images → features, test images and the dataset report")
    prepare.add_argument(
        "--image-size", type=_whole(32, 1024), default=224, help="side of the square images, in pixels"
    )
    prepare.add_argument(
        "--views", type=_whole(1, 8), default=4, help="turned and mirrored views of each training image"
    )
    prepare.add_argument(
        "--minimum-per-label",
        type=_whole(1, 1_000_000),
        default=10,
        help="labels with fewer usable images are left out",
    )
    verbs.add_parser("train", help="features → a trained head")
    verbs.add_parser("evaluate", help="the best head and the champion → scores on the test split")
    return parser


def _whole(least: int, most: int) -> "type[int]":
    def parse(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{value} is not from {least} to {most}")
        return value

    parse.__name__ = "whole number"
    return parse  # type: ignore[return-value]


def _run(chosen: argparse.Namespace, job: Job) -> None:
    # Imported late: each verb loads only what it needs, and a trial's start is a good part of its time.
    if chosen.verb == "prepare":
        from trainer.prepare import Settings, prepare

        settings = Settings(chosen.image_size, chosen.views, chosen.minimum_per_label)
        prepare(job.processing_input("images"), job.processing_output, settings, _say)
    elif chosen.verb == "train":
        from trainer.hyperparameters import read_hyperparameters
        from trainer.train import train

        train(job.channel("features"), job.model, read_hyperparameters(job.hyperparameters), _say)
    elif chosen.verb == "evaluate":
        from trainer.evaluate import evaluate

        inputs = [job.processing_input(name) for name in ("test", "model/model.tar.gz", "champion/model.tar.gz")]
        evaluate(*inputs, job.processing_output)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
