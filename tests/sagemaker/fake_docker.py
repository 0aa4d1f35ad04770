"""Stands in for the `docker` command where there is no engine: its containers are processes with /opt/ml moved.

It keeps what it knows in the folder FAKE_DOCKER: images (tag → folder) and containers (name → label and process).
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

STATE = Path(os.environ["FAKE_DOCKER"])
ONE_VALUE = {
    *(
        "--name",
        "--label",
        "--stop-timeout",
        "--volume",
        "--network",
        "--env",
        "--entrypoint",
        "--user",
        "--tag",
        "--file",
    ),
    *("--format", "--filter", "--add-host", "--hostname", "--publish"),
}


def main(command: str, *words: str) -> int:
    options: dict[str, list[str]] = {}
    rest = list(words)
    while rest and rest[0].startswith("--"):
        name = rest.pop(0)
        options.setdefault(name, []).append(rest.pop(0) if name in ONE_VALUE else "")
    return {"info": info, "image": image, "build": build, "run": run, "rm": remove, "ps": listing}[command](
        options, rest
    )


def info(options: dict[str, list[str]], rest: list[str]) -> int:
    sys.stdout.write(json.dumps({"ServerVersion": "0", "OperatingSystem": "none"}))
    return 0


def image(options: dict[str, list[str]], rest: list[str]) -> int:
    return 1  # none is there before it is built


def build(options: dict[str, list[str]], rest: list[str]) -> int:
    (STATE / f"image {options['--tag'][0].replace('/', ' ')}").write_text(rest[0])
    return 0


def run(options: dict[str, list[str]], rest: list[str]) -> int:
    """Runs the Dockerfile's ENTRYPOINT; SIGTERM goes to it as Docker's own command would pass it on."""
    folder = Path((STATE / f"image {rest[0].replace('/', ' ')}").read_text())
    base = options["--volume"][0].removesuffix(":/opt/ml")
    line = (folder / "Dockerfile").read_text().split("ENTRYPOINT ")[1]
    start = options.get("--entrypoint") or json.loads(line)
    words = [word.replace("/opt/ml", base) for word in (*start, *rest[1:])]
    pairs = (text.partition("=") for text in options.get("--env", []))
    given = {name: value if given else os.environ[name] for name, given, value in pairs}
    environment = {"PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": base, "MOOD": "cheerful", **given}
    for published in options.get("--publish", []):  # what listens at 8080 in there is to answer at a port out here
        _, outside, inside = published.split(":")
        assert inside == "8080"
        environment["SAGEMAKER_BIND_TO_PORT"] = outside
    process = subprocess.Popen(words, cwd=folder, env=environment, start_new_session=True)
    record = STATE / f"container {options['--name'][0]}"
    record.write_text(json.dumps({"pid": process.pid, "label": options["--label"][0]}))
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGTERM))
    code = process.wait()
    record.unlink(missing_ok=True)
    return code if code >= 0 else 128 - code


def remove(options: dict[str, list[str]], rest: list[str]) -> int:
    for name in rest:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            record = STATE / f"container {name}"
            pid = json.loads(record.read_text())["pid"]
            record.unlink()
            os.killpg(pid, signal.SIGKILL)
    return 0


def listing(options: dict[str, list[str]], rest: list[str]) -> int:
    label = options["--filter"][0].removeprefix("label=")
    for record in STATE.glob("container *"):
        if json.loads(record.read_text())["label"] == label:
            sys.stdout.write(record.name.removeprefix("container ") + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
