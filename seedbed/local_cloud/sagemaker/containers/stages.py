"""What a Dockerfile says about starting its image: the instructions of its last stage, carried out without building."""

import contextlib
import platform
import posixpath
import shlex
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .docker_words import WordError, expand, split_words
from .dockerfile import DockerfileError, Instruction, escape_of, instructions
from .image_files import ImageFiles

MAX_INSTRUCTIONS = 2000
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
PLATFORM = {
    f"{side}{name}": value
    for side in ("TARGET", "BUILD")
    for name, value in {"PLATFORM": f"linux/{ARCHITECTURE}", "OS": "linux", "ARCH": ARCHITECTURE}.items()
}


@dataclass
class Stage:
    """A stage of a build, or the whole image.

    arguments: the values of ARG. sets_executable: whether it changes files' permissions, with `chmod`. runs: the
    shell commands of RUN.
    """

    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    own_command: bool = False
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    working_directory: str = "/"
    files: ImageFiles = field(default_factory=ImageFiles)
    sets_executable: bool = False
    runs: list[str] = field(default_factory=list)

    def child(self) -> "Stage":
        """A stage that begins with this one's image."""
        return replace(
            self,
            environment=dict(self.environment),
            arguments={},
            own_command=False,
            files=self.files.copy(),
            runs=list(self.runs),
        )


def last_stage(text: str, folder: Path, search_path: str) -> Stage:
    """The last stage of a Dockerfile. search_path: PATH in its base image. Raises DockerfileError."""
    build = Build(folder, search_path, escape_of(text))
    for number, instruction in enumerate(instructions(text)):
        if number == MAX_INSTRUCTIONS:
            raise instruction.error(f"there are more than {MAX_INSTRUCTIONS:,} instructions")
        build.carry_out(instruction)
    if build.is_empty:
        raise DockerfileError(1, "there are no instructions here")
    return build.stage


class Build:
    """Carries out the instructions that tell how the image starts; the others change nothing here."""

    def __init__(self, folder: Path, search_path: str, escape: str) -> None:
        self.stage = Stage()
        self.is_empty = True
        self._folder = folder
        self._escape = escape
        self._base = {"PATH": search_path}
        self._before_first = True
        self._globals = dict(PLATFORM)
        self._stages: dict[str, Stage] = {}
        self._count = 0
        self._carry_out: dict[str, Callable[[Instruction], None]] = {
            "FROM": self._from,
            "ARG": self._arg,
            "ENV": self._env,
            "WORKDIR": self._workdir,
            "COPY": self._copy,
            "ADD": self._copy,
            "RUN": self._run,
            "SHELL": self._shell,
            "ENTRYPOINT": self._entrypoint,
            "CMD": self._cmd,
        }

    def carry_out(self, instruction: Instruction) -> None:
        """Raises DockerfileError."""
        self.is_empty = False
        if not instruction.arguments:
            raise instruction.error(f"{instruction.name} needs a value")
        carry_out = self._carry_out.get(instruction.name)
        try:
            if carry_out is not None:
                carry_out(instruction)
        except WordError as error:
            raise instruction.error(str(error)) from error

    def _expand(self, text: str) -> str:
        variables = ChainMap(self.stage.environment, self.stage.arguments, self._base)
        return expand(text, variables, self._escape)

    def _words(self, instruction: Instruction) -> list[str]:
        return split_words(instruction.arguments, self._escape)

    def _from(self, instruction: Instruction) -> None:
        words = self._words(instruction)
        image = expand(words[0], self._globals, self._escape).lower()
        self._before_first = False
        self.stage = self._stages.get(image, Stage()).child()
        self._stages[str(self._count)] = self.stage
        self._count += 1
        if len(words) == 3 and words[1].lower() == "as":
            self._stages[words[2].lower()] = self.stage

    def _arg(self, instruction: Instruction) -> None:
        for word in self._words(instruction):
            name, given, value = word.partition("=")
            if self._before_first:
                self._globals[name] = expand(value, self._globals, self._escape)
            elif given or name in self._globals:
                self.stage.arguments[name] = self._expand(value) if given else self._globals[name]

    def _env(self, instruction: Instruction) -> None:
        words = self._words(instruction)
        if "=" in words[0]:
            pairs = [word.partition("=") for word in words]
        else:
            pairs = [(words[0], " ", instruction.arguments[len(words[0]) :].strip())]
        if not all(given for _, given, _ in pairs) or (pairs[0][1] == " " and len(words) < 2):
            raise instruction.error("ENV needs a name and a value, as in ENV NAME=value")
        values = [(self._expand(name), self._expand(value)) for name, _, value in pairs]
        if any(not name or "=" in name for name, _ in values):
            raise instruction.error("ENV needs a name before the =")
        self.stage.environment.update(values)

    def _workdir(self, instruction: Instruction) -> None:
        self.stage.working_directory = self._absolute(self._expand(instruction.arguments))
        self.stage.files.folders.add(self.stage.working_directory)

    def _absolute(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.stage.working_directory, path))

    def _copy(self, instruction: Instruction) -> None:
        self.stage.sets_executable |= "chmod" in instruction.flags
        *patterns, target = [self._expand(word) for word in instruction.words() or self._words(instruction)]
        sources = [source for pattern in patterns for source in self._sources(instruction, pattern)]
        into = target.endswith("/") or target in (".", "./")
        self.stage.files.add(sources, self._absolute(target), into)

    def _sources(self, instruction: Instruction, pattern: str) -> list[Path]:
        if pattern.startswith("<<"):
            return []
        if "from" not in instruction.flags:
            return self.stage.files.sources(self._folder, pattern)
        stage = self._stages.get(instruction.flags["from"].lower(), Stage())
        found = stage.files.find(f"/{pattern}")
        return [found] if found else []

    def _run(self, instruction: Instruction) -> None:
        self.stage.sets_executable |= "chmod" in instruction.arguments
        self.stage.runs.append(instruction.arguments)
        with contextlib.suppress(DockerfileError, WordError):
            words = instruction.words()
            self.stage.runs[-1] = self._expand(instruction.arguments) if words is None else shlex.join(words)

    def _shell(self, instruction: Instruction) -> None:
        words = instruction.words()
        if not words:
            raise instruction.error('SHELL needs a list, as in SHELL ["/bin/bash", "-c"]')
        self.stage.shell = words

    def _entrypoint(self, instruction: Instruction) -> None:
        self.stage.entrypoint = self._start(instruction)
        if not self.stage.own_command:
            self.stage.command = []

    def _cmd(self, instruction: Instruction) -> None:
        self.stage.command, self.stage.own_command = self._start(instruction), True

    def _start(self, instruction: Instruction) -> list[str]:
        words = instruction.words()
        return [*self.stage.shell, instruction.arguments] if words is None else words
