"""Assembles the local cloud from its components."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ministack.app import app as ministack

from ..bundle import CONTAINER
from .access.gate import Gate
from .access.keys import hide_function_keys, known_keys
from .app import ServiceRouter
from .clients import LocalAws
from .disk.api import ApiOnFullDisk
from .disk.bucket import DurableS3
from .disk.reserve import Reserve
from .disk.shortage import Shortage
from .environment import REGION
from .notifications.mail import Mailer
from .notifications.smtp import take_configured_server
from .programs.kms_key import take_kms_without_a_key
from .sagemaker.app import SageMaker
from .sagemaker.settings import INSTANCES

STOP_GRACE = 10.0
OWN_IMAGES = {"seedbed-trainer": CONTAINER}


@dataclass(frozen=True)
class Components:
    """The components of one local cloud. `app` is the ASGI application, with the gate outermost."""

    aws: LocalAws
    app: Gate
    sagemaker: SageMaker
    mailer: Mailer
    shortage: Shortage


def assemble(
    aws: LocalAws, data: Path, images: Mapping[str, Path] | None, containers: str, instances: int = INSTANCES
) -> Components:
    """Create the components, with their state in the data folder. The last three arguments are for SageMaker.

    Without `images` there is Seedbed's own, whose jobs run in Seedbed's Python environment.

    Raises OSError or sqlite3.Error if the state can't be read or written.
    """
    hide_function_keys(aws.credentials)
    take_kms_without_a_key()
    sagemaker = SageMaker(
        data / "sagemaker",
        images or OWN_IMAGES,
        aws.endpoint,
        REGION,
        aws.credentials,
        stop_grace=STOP_GRACE,
        containers=containers,
        environments=images is not None,
        instances=instances,
    )
    mailer = Mailer(data / "mail", take_configured_server())
    mailer.take_published()
    reserve = Reserve(data / "reserve", sagemaker.disk)
    shortage = Shortage(sagemaker.disk, reserve, mailer, lambda: wake_reconcile(aws))
    durable = DurableS3(ministack, sagemaker.disk, shortage.note_refusal)
    behind = ServiceRouter(sagemaker, ApiOnFullDisk(durable, sagemaker.disk))
    return Components(aws, Gate(behind, known_keys(aws.credentials)), sagemaker, mailer, shortage)


def wake_reconcile(aws: LocalAws) -> None:
    """Have the reconcile function record what the open run waits for; without the template, nothing happens."""
    functions = aws.client("lambda")
    for function in functions.list_functions()["Functions"]:
        if function["Handler"] == "reconcile.handler":
            functions.invoke(FunctionName=function["FunctionName"], InvocationType="Event", Payload=b"{}")
