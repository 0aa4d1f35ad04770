"""The image's entry point: `python -m trainer <verb>`.

Each verb imports its module when it runs: a trial is short, and what it need not load it should not wait for.
"""
# ruff: noqa: PLC0415

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from trainer.errors import BadInput, TrainerError
from trainer.job import Job


class Parser(argparse.ArgumentParser):
    """Fails with a sentence, as everything else in a job."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse for arguments it can't make sense of."""
        raise BadInput(f"The arguments can't be used: {message}.")


def main(arguments: Sequence[str]) -> int:
    """Runs one verb; 0 when it is done, 1 after a failure, whose sentence is printed and left for SageMaker."""
    try:
        chosen = _parser().parse_args(arguments)
        chosen.run(chosen)
    except Exception as error:
        sentence = str(error) if isinstance(error, TrainerError) else f"Unexpected {type(error).__name__}: {error}"
        if not isinstance(error, TrainerError):
            logging.exception("The job failed.")
        if arguments[:1] not in (["predict"], ["serve"]):
            Job().tell_failure(sentence, training=arguments[:1] == ["train"])
        sys.stderr.write(sentence + "\n")
        return 1
    return 0


def _parser() -> Parser:
    parser = Parser(prog="trainer", description="Train, test and use image classifiers.")
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=Parser)

    prepare = verbs.add_parser("prepare", help="labelled images → features, test images and the dataset report")
    prepare.add_argument(
        "--image-size", type=_whole(32, 1024), default=288, help="side of the images that features are of, in pixels"
    )
    prepare.add_argument("--views", type=_whole(1, 8), default=8, help="turned and mirrored views of a training image")
    prepare.add_argument("--minimum-per-label", type=_whole(1, 10**6), default=10, help="usable images a label needs")
    prepare.add_argument("--backbones", type=_names, default="efficientnet-lite0", help="with a comma between them")
    prepare.add_argument(
        "--fine-tune-size", type=_whole(0, 1024), default=0, help="side of the images for fine-tuning, 0 for none"
    )
    prepare.set_defaults(run=_prepare)

    verbs.add_parser("train", help="features or images → a trained network").set_defaults(run=_train)

    evaluate = verbs.add_parser("evaluate", help="the best trials, the champion and the test images → scores")
    evaluate.add_argument("--views", type=_whole(1, 8), default=1, help="turned views that the model may average over")
    evaluate.add_argument(
        "--exports", type=_names_if_any, default="", help="formats to write, with a comma between them"
    )
    evaluate.add_argument("--champion-sha256", type=_sha256, help="a champion whose archive has another is not scored")
    evaluate.set_defaults(run=_evaluate)

    predict = verbs.add_parser("predict", help="images → a CSV of labels")
    predict.add_argument("--model", type=Path, required=True, help="the model.tar.gz of an evaluation")
    predict.add_argument("--csv", default="-", help="file to write, - for standard output")
    predict.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="an image, or a folder of images")
    predict.set_defaults(run=_predict)

    serve = verbs.add_parser("serve", help="a model behind HTTP, as SageMaker hosting asks")
    serve.add_argument(
        "--model", type=Path, help="a model.tar.gz, or a folder of what is in one; /opt/ml/model if left out"
    )
    serve.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 - SageMaker asks from outside
    serve.add_argument("--port", type=_whole(0, 65535), default=8080, help="port to listen on, 0 for any")
    serve.set_defaults(run=_serve)
    return parser


def _whole(least: int, most: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
        return int(text)

    return whole_number


def _sha256(text: str) -> str:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text[:100]!r} is not a SHA-256 of 64 lower-case hex digits")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    if not all(name.replace("-", "").replace("_", "").isalnum() and name.isascii() for name in names):
        raise argparse.ArgumentTypeError(f"{text[:100]!r} is no list of names like a,b")
    return names


def _names_if_any(text: str) -> tuple[str, ...]:
    return _names(text) if text else ()


def _prepare(chosen: argparse.Namespace) -> None:
    from trainer.preparation.write_pack import Settings
    from trainer.prepare import prepare

    job = Job()
    settings = Settings(
        chosen.image_size, chosen.views, chosen.minimum_per_label, chosen.backbones, chosen.fine_tune_size
    )
    images, pretrained = (job.processing_input(name) for name in ("images", "pretrained"))
    prepare(images, pretrained, job.processing_output, settings, _say)


def _train(_: argparse.Namespace) -> None:
    from trainer.training.hyperparameters import read_hyperparameters

    job = Job()
    hyperparameters = read_hyperparameters(job.hyperparameters)

    from trainer.train import train

    train(job, hyperparameters, _say)


def _evaluate(chosen: argparse.Namespace) -> None:
    from trainer.evaluate import Inputs, Settings, evaluate

    job = Job()
    test, validation, pretrained = (job.processing_input(name) for name in ("test", "validation", "pretrained"))
    archives = (job.processing_input(name) / "model.tar.gz" for name in ("model", "rival", "champion"))
    inputs = Inputs(test, validation, pretrained, *archives)
    settings = Settings(chosen.views, chosen.exports, chosen.champion_sha256)
    evaluate(inputs, job.processing_output, settings, _say)


def _predict(chosen: argparse.Namespace) -> None:
    from trainer.predict import predict

    try:
        predict(chosen.model, chosen.paths, chosen.csv, sys.stderr)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough: nothing is left to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _serve(chosen: argparse.Namespace) -> None:
    from trainer.serve import serve

    serve(chosen.model or Job().model, chosen.host, chosen.port)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
