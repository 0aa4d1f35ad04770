"""Sends to AWS_ENDPOINT_URL what a program would send to AWS by an address of its own.

SageMaker's SDKs give STS's address to boto3, which then no variable changes. Python runs this at its start where
PYTHONPATH names its folder. It takes any Python since 3.7, and changes nothing until botocore is imported.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

FOLDER = Path(__file__).resolve().parent
SESSIONS = "botocore.session"
AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
LOCAL = ("127.0.0.1", "localhost", "::1")


class ClientsUseLocalCloud(importlib.abc.MetaPathFinder):
    """Changes botocore's sessions when they are imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's own spec, whose loader also makes the change."""
        if fullname != SESSIONS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_change(module: ModuleType) -> None:
                load(module)
                change(module.Session)

            spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec


def change(session: Any) -> None:
    """Have the sessions' clients of AWS be clients of the local cloud."""
    create_client = session.create_client

    def create_local_client(self: Any, *args: Any, **options: Any) -> Any:
        local = os.environ.get("AWS_ENDPOINT_URL", "")
        if host_of(local) in LOCAL and host_of(options.get("endpoint_url")).endswith(AWS):
            options["endpoint_url"] = local
        return create_client(self, *args, **options)

    session.create_client = create_local_client


def host_of(url: str | None) -> str:
    """The host of an address, empty where it has none."""
    try:
        return urlsplit(url or "").hostname or ""
    except ValueError:
        return ""


def run_next() -> None:
    """Run another sitecustomize, which this one stands before."""
    others = [folder for folder in sys.path if Path(folder).resolve() != FOLDER]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


sys.meta_path.insert(0, ClientsUseLocalCloud())
run_next()
