"""Serves the endpoint in front of MiniStack on one port, as a process that a test may kill."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app as ministack

from seedbed.local_cloud.access.credentials import Credentials
from seedbed.local_cloud.access.gate import Gate
from seedbed.local_cloud.access.keys import known_keys
from seedbed.local_cloud.app import ServiceRouter
from seedbed.local_cloud.sagemaker.app import SageMaker


async def main(port: int, data_dir: Path, images: dict[str, Path], grace: float, containers: str) -> None:
    url = f"http://127.0.0.1:{port}"
    credentials = Credentials.from_environment()
    sagemaker = SageMaker(data_dir, images, url, "us-east-1", credentials, stop_grace=grace, containers=containers)

    app = Gate(ServiceRouter(sagemaker, ministack), known_keys(credentials))
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.graceful_timeout = 1
    stopped, closing = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    server = asyncio.create_task(serve(app, config, shutdown_trigger=closing.wait))
    await listening(port)
    await sagemaker.start()
    await stopped.wait()
    await sagemaker.stop()
    closing.set()
    await server


async def listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


if __name__ == "__main__":
    asyncio.run(
        main(
            int(sys.argv[1]),
            Path(sys.argv[2]),
            {name: Path(folder) for name, folder in json.loads(sys.argv[3]).items()},
            float(sys.argv[4]),
            sys.argv[5],
        )
    )
