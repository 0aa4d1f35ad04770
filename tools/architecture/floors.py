"""The floors of each package with rooms: a module may import from its own room and from the floors below.

A part is a room (a folder) or a module beside the rooms. Parts of one floor know nothing of each other; they stand in
the order in which the picture shows them.
"""

from collections.abc import Iterator
from pathlib import Path

from .imports import imports, modules

ROOT = Path(__file__).parents[2]
# The folder where each package's imports start.
FOLDERS = {
    "job_manager": ROOT / "functions",
    "predictor": ROOT / "predictions",
    "trainer": ROOT / "training_container",
    "seedbed": ROOT,
}

FLOORS: dict[str, list[list[str]]] = {
    "job_manager": [
        ["steps", "wiring"],
        ["aws", "ports", "settings"],
        ["domain"],
    ],
    "predictor": [
        ["wiring"],
        ["service"],
        ["current", "request"],
        ["http", "model"],
    ],
    "trainer": [
        ["__main__"],
        ["prepare", "train", "evaluate", "predict", "serve"],
        ["preparation", "training", "evaluation"],
        ["inference", "backbones"],
        ["answering", "pack", "archive"],
        ["photos", "vary"],
        ["changes", "decoding", "views"],
        ["files", "job", "keras_loader", "names", "types", "version"],
        ["errors"],
    ],
    "seedbed": [
        ["__main__"],
        ["cli"],
        ["commands"],
        ["answers", "dashboard", "deploy", "doctor", "submission", "trials"],
        ["hosting"],
        ["dlq", "model_files", "predict", "rebuild", "upload", "watch"],
        ["fetch"],
        ["stack"],
        ["local_cloud", "pickles", "seedlings", "stack_state"],
        ["extras", "terminal", "trainer_rules"],
        ["bundle", "errors", "interrupts", "platforms"],
    ],
    "seedbed.dashboard": [
        ["app", "server"],
        ["pages"],
        ["rendering"],
        ["curves"],
        ["api", "guard", "pictures", "views"],
        ["charts"],
        ["answers", "words"],
    ],
    "seedbed.local_cloud": [
        ["__main__", "process"],
        ["services", "deploy"],
        ["programs"],
        ["app", "clients", "disk", "home", "parameters", "ending", "steady_clock"],
        ["environment", "sagemaker", "notifications"],
        ["access"],
        ["passed_environment", "private_file", "process_identity"],
    ],
    "seedbed.local_cloud.sagemaker": [
        ["app"],
        ["operations"],
        ["experiments"],
        ["transform", "tuning"],
        ["hosting", "processing", "training"],
        ["maintenance", "registry", "search"],
        ["jobs"],
        ["instances", "listing", "request_fields", "s3", "tags"],
        ["cloudwatch", "events", "full_disk"],
        ["containers", "records"],
        ["clients"],
        ["defaults", "disk", "service_model", "settings"],
        ["errors", "kinds"],
    ],
}


def floor_of(package: str, part: str) -> int:
    """The floor of a part, counted from the top."""
    return next(floor for floor, parts in enumerate(FLOORS[package]) if part in parts)


def parts_of(package: str) -> list[str]:
    """The names of a package's rooms and of the modules beside them, sorted."""
    inner = (name.removeprefix(f"{package}.") for name in known(package) if name.startswith(f"{package}."))
    return sorted({name.split(".")[0] for name in inner})


def inner_imports(package: str) -> Iterator[tuple[str, str, str, str]]:
    """Each import within a package: the module, its part, the name that it imports, and the part of that."""
    for module, path in known(package).items():
        if module.startswith(f"{package}."):
            for name in imports(module, path):
                if name.startswith(f"{package}."):
                    yield module, part(package, module), name, part(package, name)


def part(package: str, name: str) -> str:
    return name.removeprefix(f"{package}.").split(".")[0]


def known(package: str) -> dict[str, Path]:
    top = package.split(".", maxsplit=1)[0]
    return modules(FOLDERS[top], top)
