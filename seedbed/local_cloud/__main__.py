"""The local cloud's process. It must be started in the environment that `environment` defines.

It prints one line of JSON once everything is running: {"endpoint": …, "outputs": {…}}, or {"error": …}. It ends on
SIGTERM, or when its standard input is closed, within the time that `ending` sets.
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from botocore.exceptions import ClientError
from hypercorn.asyncio import serve as serve_app
from hypercorn.config import Config

from ..terminal.system_errors import system_sentence
from .access.credentials import ACCOUNT, Credentials
from .clients import LocalAws
from .deploy import DeployFailed, deploy
from .disk.bucket import NO_ROOM
from .ending import run_and_exit, watch_for_stop
from .environment import HOST, endpoint_url
from .programs.execution_role import create_execution_role
from .sagemaker.app import SageMaker
from .sagemaker.containers.guard import Guard
from .sagemaker.settings import INSTANCES
from .services import Components, assemble
from .steady_clock import install

CLOSING_SECONDS = 3


def main() -> None:
    """Serve until requested to stop."""
    parser = argparse.ArgumentParser(prog="python -m seedbed.local_cloud")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--lock", type=int, required=True, help="the inherited descriptor of the data folder's lock")
    parser.add_argument("--parameters", type=json.loads, default={})
    parser.add_argument("--no-jobs", action="store_true", help="start and resume no job")
    parser.add_argument("--no-template", action="store_true", help="deploy no template")
    parser.add_argument("--image", action="append", type=image, metavar="NAME=FOLDER", help="in place of Seedbed's own")
    parser.add_argument("--containers", choices=("process", "docker", "auto"), default="process")
    parser.add_argument("--instances", type=int, default=INSTANCES)
    arguments = parser.parse_args()
    os.set_inheritable(arguments.lock, False)
    os.umask(0o077)
    gc.disable()  # until all is loaded and deployed, as what that makes stays
    install()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    guard = Guard()
    if os.getpgrp() == os.getpid():
        guard.watch(os.getpgrp())  # the functions' processes
    run_and_exit(serve(arguments))


def image(text: str) -> tuple[str, Path]:
    """NAME=FOLDER, split."""
    name, _, folder = text.partition("=")
    return name, Path(folder)


async def serve(arguments: argparse.Namespace) -> None:
    """Serve on the port until SIGTERM or the end of standard input, with the state in the data folder."""
    stop_requested, may_close = asyncio.Event(), asyncio.Event()
    watch_for_stop(stop_requested)
    aws, data = LocalAws(endpoint_url(arguments.port), Credentials.from_environment()), arguments.data
    try:
        images = dict(arguments.image) if arguments.image else None
        components = assemble(aws, data, images, arguments.containers, arguments.instances)
    except (OSError, sqlite3.Error) as error:
        why = system_sentence(error) if isinstance(error, OSError) else f"{error}. Make room, or check the permissions."
        report({"error": f"The state in {data} can't be read or written: {why}"})
        return
    config = server_config(arguments.port)
    served = asyncio.create_task(serve_app(components.app, config, shutdown_trigger=may_close.wait))
    try:
        await work(components, arguments, stop_requested)
    except DeployFailed as error:
        report({"error": f"The template could not be deployed: {error}"})
    except ClientError as error:
        if error.response["Error"]["Code"] != NO_ROOM:
            raise
        report({"error": f"The disk that holds {data} is almost full. Make room on it, then run this again."})
    finally:
        may_close.set()
        await asyncio.wait({served}, timeout=CLOSING_SECONDS)  # it waits for functions that are still running
        components.mailer.close()
    if served.done():
        await served


async def work(components: Components, arguments: argparse.Namespace, stop_requested: asyncio.Event) -> None:
    """Set up the services, report that they are running, and run jobs until requested to stop."""
    if arguments.no_template:
        outputs = await asyncio.to_thread(restore_buckets, components.aws, arguments.data / "s3" / ACCOUNT)
        await asyncio.to_thread(create_execution_role, components.aws)
    else:
        outputs = await asyncio.to_thread(set_up, components.aws, arguments.parameters)
        components.mailer.topic = outputs["TopicArn"]
    gc.freeze()
    gc.enable()
    async with nullcontext() if arguments.no_jobs else jobs_running(components.sagemaker):
        report({"endpoint": components.aws.endpoint, "outputs": outputs, "notes": components.sagemaker.notes})
        watching = asyncio.create_task(components.shortage.watch())
        await stop_requested.wait()
        watching.cancel()


@asynccontextmanager
async def jobs_running(sagemaker: SageMaker) -> AsyncIterator[None]:
    await sagemaker.start()
    try:
        yield
    finally:
        await sagemaker.stop()


def server_config(port: int) -> Config:
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.graceful_timeout = 1
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    return config


def set_up(aws: LocalAws, parameters: Mapping[str, str]) -> dict[str, str]:
    """Deploy the template, and fill the table from the state on disk."""
    outputs = deploy(aws, parameters)
    aws.client("lambda").invoke(FunctionName=outputs["ReconcileFunction"], Payload=b'{"rebuild": true}')
    return outputs


def restore_buckets(aws: LocalAws, kept: Path) -> dict[str, str]:
    """Create empty buckets again: MiniStack restores only buckets with objects in them."""
    s3 = aws.client("s3")
    found = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for folder in sorted(kept.glob("*/")):
        if folder.name not in found:
            s3.create_bucket(Bucket=folder.name)
    return {}


def report(message: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
