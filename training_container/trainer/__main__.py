"""The image's entry point: `python -m trainer <verb>`.

Each verb imports its module when it runs: a trial is short and should not wait for modules that it does not use.
"""
# ruff: noqa: PLC0415

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from trainer.errors import TrainerError, WrongUse, sentence_for
from trainer.files import printable
from trainer.job import JobPaths

if TYPE_CHECKING:
    from trainer.preparation.options import PrepareOptions


class Parser(argparse.ArgumentParser):
    """A parser that raises WrongUse instead of exiting."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse for invalid arguments."""
        raise WrongUse(f"The arguments can't be used: {message.rstrip('.')}. See: python -m {self.prog} --help")


def main(arguments: Sequence[str]) -> int:
    """Runs one verb and returns its exit status. After a failure prints its sentence, and leaves it for SageMaker."""
    try:
        chosen = _parser().parse_args(arguments)
        chosen.run(chosen)
    except Exception as error:  # noqa: BLE001  whatever it is, its sentence is printed
        return _failed(error, arguments)
    return 0


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    sentence, job = sentence_for(error), JobPaths()
    if not isinstance(error, TrainerError | OSError):
        logging.error("The job failed.", exc_info=error)
    if not job.is_real:
        sys.stderr.write(f"Error: {printable(sentence)}\n")
        return 2 if isinstance(error, WrongUse) else 1
    if arguments[:1] not in (["predict"], ["serve"]):
        job.write_failure(sentence, training=arguments[:1] == ["train"])
    sys.stderr.write(f"{printable(sentence)}\n")
    return 1


def _parser() -> Parser:
    parser = Parser(prog="trainer", description="Train, test and use image classifiers.")
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=Parser)
    _add_prepare(
        verbs.add_parser("prepare", help="labelled images → features, test images and the dataset report"), run=_prepare
    )
    _add_prepare(verbs.add_parser("merge", help="what several instances prepared → one pack"), run=_merge)
    verbs.add_parser("train", help="features or images → a trained network").set_defaults(run=_train)
    _add_evaluate(verbs.add_parser("evaluate", help="the best trials, the champion and the test images → scores"))
    _add_predict(verbs.add_parser("predict", help="images → a CSV of labels"))
    _add_serve(verbs.add_parser("serve", help="a model behind HTTP, as SageMaker hosting expects it"))
    return parser


def _add_prepare(parser: Parser, run: Callable[[argparse.Namespace], None]) -> None:
    size = "side in pixels of the images that features are extracted from"
    parser.add_argument("--image-size", type=_integer(32, 1024), default=224, help=size)
    parser.add_argument("--views", type=_integer(1, 8), default=5, help="of a training image: itself, then changed")
    parser.add_argument("--minimum-per-label", type=_integer(1, 10**6), default=10, help="usable images a label needs")
    parser.add_argument("--backbones", type=_names, default="efficientnet-lite0", help="separated by commas")
    side = "side in pixels of the images for fine-tuning, 0 for none"
    parser.add_argument("--fine-tune-size", type=_integer(0, 1024), default=0, help=side)
    most = "of all cached features: as many views are kept as fit"
    parser.add_argument("--feature-bytes", type=_integer(0, 2**50), default=2**32, help=most)
    parser.set_defaults(run=run)


def _add_evaluate(parser: Parser) -> None:
    parser.add_argument("--views", type=_integer(1, 8), default=1, help="views that the model may average over")
    parser.add_argument("--exports", type=_names_if_any, default="", help="formats to write, separated by commas")
    changed = "test photographs to score under harmless changes too, 0 for none"
    parser.add_argument("--changed-images", type=_integer(0, 10**6), default=300, help=changed)
    wrong = "how often the model may be wrong when it is sure, as a share"
    parser.add_argument("--sure-error-rate", type=_share(0.001, 0.5), default=0.05, help=wrong)
    recorded = "the champion is scored only if its archive has this SHA-256"
    parser.add_argument("--champion-sha256", type=_sha256, help=recorded)
    parser.add_argument("--run", type=_run_name, dest="run_name", help="the run's name, for the report")
    parser.add_argument("--champion-run", type=_run_name, help="the name of the champion's run, too")
    parser.set_defaults(run=_evaluate)


def _add_predict(parser: Parser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="the model.tar.gz of an evaluation")
    parser.add_argument("--csv", default="-", help="file to write, - for standard output")
    every_image = "give an image that can't be read a row, without a label"
    parser.add_argument("--every-image", action="store_true", help=every_image)
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="an image, or a folder of images")
    parser.set_defaults(run=_predict)


def _add_serve(parser: Parser) -> None:
    model = "a model.tar.gz, or a folder with its files; /opt/ml/model by default"
    parser.add_argument("--model", type=Path, help=model)
    host = os.environ.get("SEEDBED_BIND_TO_HOST", "0.0.0.0")  # noqa: S104 - SageMaker connects from outside
    parser.add_argument("--host", default=host, help="address to listen on")
    port = os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")
    parser.add_argument("--port", type=_integer(0, 65535), default=port, help="port to listen on, 0 for any")
    parser.set_defaults(run=_serve)


def _integer(least: int, most: int) -> Callable[[str], int]:
    def integer(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
        return int(text)

    return integer


def _share(least: float, most: float) -> Callable[[str], float]:
    def share(text: str) -> float:
        if not least <= float(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
        return float(text)

    return share


def _sha256(text: str) -> str:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text[:100]!r} is not a SHA-256 of 64 lower-case hex digits")
    return text


def _run_name(text: str) -> str:
    if not text.replace("-", "").isalnum() or not text.isascii() or len(text) > 63:
        raise argparse.ArgumentTypeError(f"{text[:100]!r} is not the name of a run")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    if not all(name.replace("-", "").replace("_", "").isalnum() and name.isascii() for name in names):
        raise argparse.ArgumentTypeError(f"{text[:100]!r} is not a list of names like a,b")
    return names


def _names_if_any(text: str) -> tuple[str, ...]:
    return _names(text) if text else ()


def _prepare(chosen: argparse.Namespace) -> None:
    from trainer.prepare import prepare

    prepare(JobPaths(), _prepare_options(chosen), _say)


def _merge(chosen: argparse.Namespace) -> None:
    from trainer.prepare import merge

    merge(JobPaths(), _prepare_options(chosen), _say)


def _prepare_options(chosen: argparse.Namespace) -> "PrepareOptions":
    from trainer.preparation.options import PrepareOptions

    return PrepareOptions(
        image_size=chosen.image_size,
        views=chosen.views,
        minimum_per_label=chosen.minimum_per_label,
        backbones=chosen.backbones,
        fine_tune_size=chosen.fine_tune_size,
        feature_bytes=chosen.feature_bytes,
    )


def _train(_: argparse.Namespace) -> None:
    from trainer.training.hyperparameters import read_hyperparameters

    job = JobPaths()
    hyperparameters = read_hyperparameters(job.hyperparameters)

    from trainer.train import train

    train(job, hyperparameters, _say)


def _evaluate(chosen: argparse.Namespace) -> None:
    from trainer.evaluate import EvaluateOptions, Inputs, evaluate

    job = JobPaths()
    folders = {name: job.processing_input(name) for name in ("test", "validation", "pretrained")}
    archives = {name: job.processing_input(name) / "model.tar.gz" for name in ("model", "rival", "champion")}
    options = EvaluateOptions(
        views=chosen.views,
        exports=chosen.exports,
        champion_sha256=chosen.champion_sha256,
        changed_images=chosen.changed_images,
        sure_error_rate=chosen.sure_error_rate,
        run=chosen.run_name or "",
        champion_run=chosen.champion_run or "",
    )
    evaluate(Inputs(**folders, **archives), job.processing_output, options, _say)


def _predict(chosen: argparse.Namespace) -> None:
    from trainer.predict import PredictOptions, predict

    try:
        predict(chosen.model, chosen.paths, chosen.csv, sys.stderr, PredictOptions(chosen.every_image))
        sys.stdout.flush()
    except OSError as error:
        if error.filename is None:  # standard output, perhaps
            _stop_writing()
        if not isinstance(error, BrokenPipeError):  # the reader, such as `head`, has ended
            raise


def _stop_writing() -> None:
    """Nothing more goes to standard output, so that nothing can fail when Python closes it."""
    with suppress(OSError):
        output = sys.stdout.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)


def _serve(chosen: argparse.Namespace) -> None:
    from trainer.serve import serve

    serve(chosen.model or JobPaths().model, chosen.host, chosen.port)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
