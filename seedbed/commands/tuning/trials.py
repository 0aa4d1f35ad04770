"""`seedbed trials`: the trials of a tuning job, as a table or for other tools."""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from ...errors import SeedbedError, WrongUse, check_writable, writing
from ...extras import need
from ...local_cloud.home.demo import home_to_query
from ...local_cloud.home.folder import default_home
from ...stack import Stack
from ...terminal.aws_errors import aws_sentence
from ...terminal.console import results, say
from ...terminal.text import counted, printable
from ...trials import curves, files, optuna_study, tensorboard_runs, tuning_job
from ...trials.curves import Points
from ...trials.tuning_job import TuningJob
from ...watch.logs import CloudWatchSource, FileSource, Source
from ..options import OnAws, check_one_place, sagemaker_without_stack, stack_for
from ..tables.tuning_trials import TuningTrialsTable


class Format(StrEnum):
    """How trials are written."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


NO_FILE = "Parquet is not text: name its file with --output."
NO_FORMAT = "{} has none of the endings .csv, .json and .parquet: name its format with --format."
NO_TABLE = "A table is for a terminal: for a file choose --format csv, json or parquet."
NO_LOGS = "Learning curves are left out, as the trials' logs can't be read. {}"
REASONS = 3


def trials(  # noqa: PLR0913, PLR0917  each is an option of the command
    name: Annotated[str, typer.Argument(metavar="NAME", help="The tuning job's name; a run's is the run's id.")],
    written_as: Annotated[
        Format | None, typer.Option("--format", help="How to write them; by default as --output ends.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write them to this file.")] = None,
    optuna: Annotated[Path | None, typer.Option(help="Add them to this SQLite file, as a study of Optuna.")] = None,
    tensorboard: Annotated[Path | None, typer.Option(help="Write runs for TensorBoard below this folder.")] = None,
    account: Annotated[
        bool, typer.Option("--account", help="Ask SageMaker by your own AWS settings, without a stack.")
    ] = False,
    aws: OnAws = "",
) -> None:
    """Show a tuning job's trials, or write them for other tools. AWS_ENDPOINT_URL counts, if it is set."""
    tuning_job.check_name(name)
    chosen = format_of(written_as, output)
    check_possible(chosen, output, optuna, tensorboard)
    check_one_place(aws, account=account)
    with opened(aws, account=account) as (stack, sources):
        exported = optuna is not None or tensorboard is not None
        details = exported or chosen is not Format.table
        job = tuning_job.read(stack.client("sagemaker"), name, where(stack, aws), details=details)
        series = read_curves(job, sources) if exported else {}
    if optuna is not None:
        optuna_study.write_study(job, series, optuna)
        say(f"{number(job)} are in {optuna}. See them with: optuna-dashboard {shlex.quote(f'sqlite:///{optuna}')}")
    if tensorboard is not None:
        tensorboard_runs.write_runs(job, series, tensorboard)
        say(f"{number(job)} are in {tensorboard}. See them with: tensorboard --logdir {shlex.quote(str(tensorboard))}")
    if not exported or written_as or output:
        write(job, chosen, output)


def format_of(written_as: Format | None, output: Path | None) -> Format:
    """The format asked for, or the one that the file's name ends in. Raises WrongUse where these don't fit."""
    if output is None:
        if written_as is Format.parquet:
            raise WrongUse(NO_FILE)
        return written_as or Format.table
    if written_as is None:
        ending = output.suffix.lower().removeprefix(".")
        if ending not in {"csv", "json", "parquet"}:
            raise WrongUse(NO_FORMAT.format(output))
        return Format(ending)
    if written_as is Format.table:
        raise WrongUse(NO_TABLE)
    return written_as


def check_possible(chosen: Format, output: Path | None, optuna: Path | None, tensorboard: Path | None) -> None:
    """Raises SeedbedError, before anything is asked, for what an extra is missing for or a file that can't be made."""
    if chosen is Format.parquet:
        need("parquet", "--format parquet")
    if optuna is not None:
        need("optuna", "--optuna")
    if tensorboard is not None:
        need("tensorboard", "--tensorboard")
        if tensorboard.exists() and not tensorboard.is_dir():
            raise SeedbedError(f"{tensorboard} is a file. Name a folder.")
    for path in filter(None, (output, optuna)):
        check_writable(path)


@contextmanager
def opened(aws: str, *, account: bool) -> Iterator[tuple[Stack, Sequence[Source]]]:
    """Where the tuning job is, and where its trials' logs are."""
    if found := sagemaker_without_stack(aws, account=account):
        yield found, [CloudWatchSource(found)]
        return
    with stack_for(aws) as stack:
        home = home_to_query(default_home())
        yield stack, [CloudWatchSource(stack), *([] if aws else [FileSource(home)])]


def where(stack: Stack, aws: str) -> str:
    """Where a tuning job was looked for."""
    if stack.endpoint:
        return f" at {stack.endpoint}"
    region = f" in {stack.session.region_name}" if stack.session.region_name else ""
    return f" beside the stack {aws}{region}" if aws else f" in your account{region}"


def read_curves(job: TuningJob, sources: Sequence[Source]) -> Mapping[str, Mapping[str, Points]]:
    """The trials' learning curves; without the right to read logs none, and a sentence about that."""
    try:
        return curves.read_curves(job, sources)
    except ClientError as error:
        say(NO_LOGS.format(aws_sentence(error)))
        return {}


def write(job: TuningJob, chosen: Format, output: Path | None) -> None:
    """Write the trials to the file, or to standard output."""
    if chosen is Format.table:
        print_table(job)
        return
    content = content_of(job, chosen)
    if output is None:
        sys.stdout.write(content.decode())
        return
    with writing(output):
        output.write_bytes(content)
    say(f"{number(job)} are in {output}.")


def content_of(job: TuningJob, chosen: Format) -> bytes:
    """The trials in a format for files."""
    if chosen is Format.parquet:
        return files.as_parquet(job)
    return (files.as_csv(job) if chosen is Format.csv else files.as_json(job)).encode()


def print_table(job: TuningJob) -> None:
    """Print the job's state, and its trials."""
    direction = "highest" if job.maximize else "lowest"
    objectives = ", ".join(map(printable, job.objectives))
    results().print(f"{job.name} {job.status}: {number(job)} by {job.strategy}, {objectives}, {direction} first")
    if job.trials:
        results().print(TuningTrialsTable(job), crop=False)
    for trial in [found for found in job.trials if found.reason][:REASONS]:
        results().print(printable(f"{trial.name}: {trial.reason}"), soft_wrap=True)


def number(job: TuningJob) -> str:
    """How many trials there are."""
    return counted(len(job.trials), "trial")
