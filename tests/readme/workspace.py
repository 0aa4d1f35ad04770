"""A copy of the checkout where README's commands run one after the other, and the ways in which they are run."""

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.process import free_port
from seedbed.seedlings import draw
from tests.contract.template import ROOT
from tests.contract.test_sam import SAM, runtime_python
from tests.local_cloud.conftest import LittleCloud, up
from tests.readme.commands import Command, missing
from tests.readme.terminal import Terminal
from tests.waiting import wait_for

AWS = ROOT / ".venv" / "aws" / "bin"
HOME_OF_READER = "/home/you/seedbed"
LABELS = ("Charlock", "Cleavers", "Common wheat", "Fat Hen", "Maize", "Sugar beet")
EACH = 12
DEFAULT_PORTS = {"seedbed up": 4566, "seedbed serve": 8080}
ANSWERS = "\n\nyou@example.com\n" + 60 * "\n"
"""What `sam deploy --guided` is told: the stack's name, the region, the address, and Enter for all else."""


class Workspace:
    """The copy, with images of a reader's own; commands that serve run until their section ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "seedbed"
        self._serving: list[tuple[Command, Terminal]] = []
        self._ports: dict[str, int] = {}
        self._account = ExitStack()
        self._cloud: LittleCloud | None = None
        copy_checkout(self.folder)
        for label in LABELS:
            (self.folder / "photos" / label).mkdir(parents=True)
            for number in range(EACH):
                draw(label, number, 96).save(self.folder / "photos" / label / f"{number}.png")
        shutil.copytree(self.folder / "photos" / "Maize", self.folder / "unlabelled")

    def run(self, command: Command) -> None:
        """It succeeds, and prints what is shown."""
        self._expect(command, status=0)

    def watch_demo(self, command: Command) -> None:
        """It shows the page while a person is there, who presses Enter at its end."""
        self._expect(command, status=0, asks="Press Enter")

    def begin_to_serve(self, command: Command) -> None:
        """It prints what is shown, and continues until its section of README ends."""
        terminal = self._terminal(command)
        self._serving.append((command, terminal))
        wait_for(
            lambda: missing(command.shown, self._screen(terminal)) is None or terminal.process.poll() is not None,
            f"{command} to print what README shows",
            lambda: terminal.screen,
        )
        assert terminal.process.poll() is None, "\n".join(terminal.screen)

    def need_an_account(self, command: Command) -> None:
        """It gets as far as its first call to AWS, for which there are no credentials; it is told yes.

        What asks a deployed stack then does all that is shown, for the same stack on a local cloud.
        """
        screen = self._expect(replace(command, shown=()), status=None, keys="y\ny\n")
        text = " ".join(screen)
        assert "Unable to locate credentials" in text or "No AWS credentials were found." in text
        if re.search(r"seedbed .*--aws ", command.text):
            self._expect(command, status=0, more=self._local_account(command))

    def deploy_guided(self, command: Command) -> None:
        """It asks for the e-mail address and is content with Enter for all else, as far as its first call to AWS."""
        text = "\n".join(self._expect(command, status=1, keys=ANSWERS))
        assert "Parameter NotificationEmail" in text
        assert "Looking for resources needed for deployment" in text
        assert "Unable to locate credentials" in text

    def build(self, command: Command) -> None:
        """Lambda's packages are built, with a Python of the functions' version."""
        if runtime_python() is None:
            pytest.skip("sam build needs a Python of the functions' version on the PATH or in pyenv")
        self.run(command)
        assert (self.folder / ".aws-sam" / "build" / "template.yaml").exists()

    def install(self, command: Command) -> None:
        """The package has this name and these extras; tests/package installs it."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        asked = Requirement(command.text.split()[-1].strip("'"))
        assert asked.name == project["name"]
        assert asked.extras <= project["optional-dependencies"].keys()

    def use_docker(self, command: Command) -> None:
        """The folder has a Dockerfile and the repository is the one that the template's jobs take; nothing is run."""
        folder = self.folder / command.text.split()[-1]
        assert "build" not in command.text.split() or (folder / "Dockerfile").exists()
        for repository in re.findall(r"amazonaws\.com/(\S+)", command.text):
            assert f"/{repository}" in (ROOT / "template.yaml").read_text(encoding="utf-8")
        pytest.skip("needs a Docker engine and a registry on AWS; its names were compared with the template's")

    def leave(self, section: str | None) -> None:
        """Ctrl-C for what serves in another section; each ends by itself with one line."""
        for command, terminal in [each for each in self._serving if each[0].section != section]:
            self._serving.remove((command, terminal))
            try:
                terminal.interrupt()
                assert terminal.exited() == 130, "\n".join(terminal.screen)
                assert terminal.screen[-2:] == ["Stopped.", ""]
            finally:
                terminal.end()

    def end(self) -> None:
        """Nothing that was started runs any more."""
        for _, terminal in self._serving:
            terminal.end()
        self._account.close()

    def _local_account(self, command: Command) -> dict[str, str]:
        """The variables that lead AWS's tools to a local cloud, which is started once, with the template deployed.

        A command that asks for results waits for the run, as its reader does.
        """
        if self._cloud is None:
            self._cloud = self._account.enter_context(up(Home(self.folder.with_name("account"))))
        if re.search(r"seedbed (best|report|predict)", command.text):
            self._cloud.ended_runs(1)
        credentials = self._cloud.stack.session.get_credentials()
        assert credentials
        return {
            "AWS_ENDPOINT_URL": str(self._cloud.stack.endpoint),
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        }

    def _expect(
        self,
        command: Command,
        status: int | None,
        keys: str = "",
        more: Mapping[str, str] | None = None,
        asks: str = "",
    ) -> list[str]:
        """The screen, once the command has ended with this status, None for any but 0, and printed what is shown.

        Once it `asks` for Enter, that is pressed.
        """
        terminal = self._terminal(command, keys, more)
        try:
            if asks:
                wait_for(
                    lambda: terminal.shows(asks) or terminal.process.poll() is not None,
                    f"{command} to ask",
                    lambda: terminal.screen,
                )
                terminal.press("\n")
            ended = terminal.exited()
        finally:
            terminal.end()
        screen = self._screen(terminal)
        assert (ended != 0) if status is None else (ended == status), "\n".join(screen)
        lacking = missing(command.shown, screen)
        assert lacking is None, f"README shows {lacking!r}, but printed was:\n" + "\n".join(screen)
        return screen

    def _terminal(self, command: Command, keys: str = "", more: Mapping[str, str] | None = None) -> Terminal:
        return Terminal(self._with_own_ports(command.text), self.folder, {**environment(), **(more or {})}, keys)

    def _screen(self, terminal: Terminal) -> list[str]:
        return [line.replace(str(self.folder), HOME_OF_READER) for line in terminal.screen]

    def _with_own_ports(self, text: str) -> str:
        """The command with free ports instead of README's, which somebody else may have on this machine."""
        for start, port in DEFAULT_PORTS.items():
            if re.match(rf"{start}\b(?!.*--port)", text):
                text = f"{text} --port {port}"
        for port_text in re.findall(r"(?:--port |127\.0\.0\.1:)(\d+)", text):
            text = text.replace(port_text, str(self._ports.setdefault(port_text, free_port())))
        return text


def copy_checkout(folder: Path) -> None:
    """The checkout's files, older than the stamps in .venv, which is shared: make sets nothing up again."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
        os.utime(target, (0, 0))
    (folder / ".venv").symlink_to(ROOT / ".venv")


def environment() -> dict[str, str]:
    """A reader's: the project's programs on the path, no account on AWS, and no build server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SEEDBED_", "CI"))}
    own = [ROOT / ".venv" / "bin", SAM.parent, AWS, runtime_python()]
    return {
        **kept,
        "PATH": os.pathsep.join([*(str(folder) for folder in own if folder), kept["PATH"]]),
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
    }


WAYS: tuple[tuple[str, Callable[[Workspace, Command], None]], ...] = (
    (r"pip install ", Workspace.install),
    (r"(aws .*\| )?docker ", Workspace.use_docker),
    (r"sam build$", Workspace.build),
    (r"sam deploy --guided$", Workspace.deploy_guided),
    (r"(sam|aws) |seedbed (un)?deploy |seedbed .* --aws ", Workspace.need_an_account),
    (r"seedbed (up|serve|sagemaker)\b", Workspace.begin_to_serve),
    (r"make demo$", Workspace.watch_demo),
    (r"\. \.venv/bin/activate$|seedbed |curl |\. \S+/environment\.sh && python examples/", Workspace.run),
)
"""How a command is run, by how it begins: the first that fits."""


def way_of(command: Command) -> Callable[[Workspace, Command], None]:
    """How to run it. Fails the test for a command that nothing here knows."""
    text = command.text.replace("\\\n", "")
    way = next((way for start, way in WAYS if re.match(start, text)), None)
    if way is None:
        pytest.fail(f"README.md, {command}\nNo way to run it is known. Add one to tests/readme/workspace.py.")
    return way
