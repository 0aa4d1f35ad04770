"""How the program of an image is found here: copied paths, PATH, scripts and what runs them."""

import os
import sys
from pathlib import Path

import pytest

from seedbed.local_cloud.sagemaker.containers.images import Image, read_image
from seedbed.local_cloud.sagemaker.containers.launcher import command
from seedbed.local_cloud.sagemaker.containers.program import moved_list, runnable, search_path
from seedbed.local_cloud.sagemaker.errors import JobFailure

BASE = Path("/job")
BYO = 'FROM u\nENV PATH="/opt/program:${PATH}"\nCOPY . /opt/program\nWORKDIR /opt/program\n'
PYTHON = "#!/usr/bin/env python\n"


def image_of(folder: Path, dockerfile: str, files: dict[str, str], mode: int = 0o755) -> Image:
    for name, content in {**files, "Dockerfile": dockerfile}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
        path.chmod(mode)
    return read_image(folder)


def started(image: Image, *arguments: str) -> list[str]:
    return runnable(command(image, {}, list(arguments)), image, BASE, search_path(image))


@pytest.mark.parametrize(
    "dockerfile",
    [
        BYO,
        "FROM u\nCOPY train /usr/local/bin/\n",
        "FROM u\nCOPY train /usr/bin/train\n",
        "FROM u\nENV PATH /app:$PATH\nWORKDIR /app\nCOPY train .\n",
        'FROM u\nENV PATH /app:$PATH\nADD --chown=a:b ["train", "/app/"]\n',
        "FROM u\nENV PATH=/app:/usr/bin\nCOPY tr* other /app\n",
        "FROM u AS b\nCOPY . /src\nFROM u\nENV PATH=/app:$PATH\nCOPY --from=b /src/train /app/train\n",
        "FROM u\nCOPY . /src\nFROM u\nENV PATH=/app:$PATH\nCOPY --from=0 /src /app\n",
        "FROM u AS b\nENV PATH=/app:$PATH\nCOPY . /app\nFROM b\n",
        "FROM u\nARG HOME_DIR=/app\nENV PATH=$HOME_DIR:$PATH\nCOPY . ${HOME_DIR}\n",
        BYO + 'CMD ["something", "else"]\n',
    ],
)
def test_train_is_found_on_the_images_path(tmp_path: Path, dockerfile: str) -> None:
    image = image_of(tmp_path, dockerfile, {"train": PYTHON, "other": ""})
    assert started(image, "train") == ["python", str(tmp_path / "train")]


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (
            'COPY . /app\nENTRYPOINT ["python", "/app/sub/t.py", "/opt/ml/x", "/else"]',
            ["{}/sub/t.py", "/job/x", "/else"],
        ),
        ('COPY sub /app\nENTRYPOINT ["python", "/app/t.py"]', ["{}/sub/t.py"]),
        ('COPY sub/ /opt/ml/code/\nENTRYPOINT ["python3", "/opt/ml/code/t.py"]', ["{}/sub/t.py"]),
        ('WORKDIR /a\nWORKDIR b\nCOPY sub/t.py ./\nENTRYPOINT ["python", "t.py"]', ["t.py"]),
        ('WORKDIR /a\nCOPY sub/t.py x.py\nENTRYPOINT ["python", "x.py"]', ["{}/sub/t.py"]),
        ('COPY . /app\nWORKDIR /app/sub\nENTRYPOINT ["python", "t.py"]', ["t.py"]),
        ('COPY sub /app\nENTRYPOINT ["/usr/local/bin/python3", "/app/t.py"]', ["{}/sub/t.py"]),
        ('COPY --from=elsewhere /app /app\nENTRYPOINT ["python", "/app/t.py"]', ["/app/t.py"]),
        ('COPY ../../etc /app\nENTRYPOINT ["python", "/app/passwd"]', ["/app/passwd"]),
        ('ADD https://example.com/t.py /app/\nENTRYPOINT ["python", "/app/t.py"]', ["/app/t.py"]),
        ('COPY sub/t.py /app/x.py\nCOPY sub/u.py /app/x.py\nENTRYPOINT ["python", "/app/x.py"]', ["{}/sub/u.py"]),
        ('COPY sub/*.py /app/\nENTRYPOINT ["python", "/app/u.py"]', ["{}/sub/u.py"]),
        ('COPY [st]ub[b] /else\nCOPY su[b] /app\nENTRYPOINT ["python", "/app/t.py"]', ["{}/sub/t.py"]),
        ('COPY . /\nENTRYPOINT ["python", "/sub/t.py"]', ["{}/sub/t.py"]),
    ],
)
def test_paths_that_the_image_copies_become_paths_here(tmp_path: Path, dockerfile: str, expected: list[str]) -> None:
    image = image_of(tmp_path, f"FROM u\n{dockerfile}\n", {"sub/t.py": "", "sub/u.py": ""})
    first, *following = started(image, "train")
    assert first in ("python", "python3")
    assert following == [*(word.format(tmp_path) for word in expected), "train"]


def test_a_shells_command_has_its_paths_moved(tmp_path: Path) -> None:
    text = "COPY . /app\nENTRYPOINT cd /app && python /app/t.py --data=/opt/ml/input '/app/t.py' $HOME/app"
    image = image_of(tmp_path, f"FROM u\n{text}\n", {"t.py": ""})
    assert started(image, "train") == [
        *("/bin/sh", "-c"),
        f"cd {tmp_path} && python {tmp_path}/t.py --data=/job/input '{tmp_path}/t.py' $HOME/app",
        "train",
    ]


@pytest.mark.parametrize(
    ("dockerfile", "folder"),
    [
        ("COPY . /app\nWORKDIR /app", ""),
        ("COPY src /app\nWORKDIR /app", "src"),
        ("WORKDIR /app\nCOPY src/ .", "src"),
        ("COPY . /app\nWORKDIR /app/src", "src"),
        ("WORKDIR /app\nCOPY src/t.py .", "src"),
        ("WORKDIR /app\nCOPY src ./src", ""),
        ("WORKDIR /app\nCOPY src/deep/a ./deep/a", "src"),
        ("WORKDIR /elsewhere", ""),
        ("COPY . .", ""),
    ],
)
def test_the_working_folder_is_what_the_image_copies_to_its_workdir(
    tmp_path: Path, dockerfile: str, folder: str
) -> None:
    assert (
        image_of(tmp_path, f"FROM u\n{dockerfile}\n", {"src/t.py": "", "src/deep/a/b": ""}).working_folder
        == tmp_path / folder
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("#!/usr/bin/env python\n", ["python"]),
        ("#!/usr/bin/env -S python -u\n", ["python", "-u"]),
        ("#!/usr/local/bin/python3\n", ["python3"]),
        ("#!/usr/bin/python3.99\n", ["python3"]),
        ("#!/bin/sh -e\n", ["/bin/sh", "-e"]),
        ("#! /bin/sh", ["/bin/sh"]),
    ],
)
def test_a_script_is_run_by_what_its_first_line_says(tmp_path: Path, content: str, expected: list[str]) -> None:
    image = image_of(tmp_path, BYO, {"train": content})
    assert started(image, "train") == [*expected, str(tmp_path / "train")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("#!/bin/sh\r\necho\r\n", "has Windows line ends"),
        ("\ufeff#!/bin/sh\n", "has a byte order mark before its first line"),
        ("import os\n", "does not say which program runs it"),
        ("", "does not say which program runs it"),
        ("#!\n", "does not say which program runs it"),
        ("#!/opt/none/ruby-of-nowhere\n", "is run by /opt/none/ruby-of-nowhere, which is not on this machine"),
    ],
)
def test_a_script_that_cannot_be_started_says_why(tmp_path: Path, content: str, reason: str) -> None:
    image = image_of(tmp_path, BYO, {"train": content})
    with pytest.raises(JobFailure) as failure:
        started(image, "train")
    assert str(failure.value).startswith(f"ClientError: {tmp_path}/train {reason}")


def test_a_script_that_is_not_executable_says_what_to_do(tmp_path: Path) -> None:
    image = image_of(tmp_path, BYO, {"train": PYTHON}, mode=0o644)
    with pytest.raises(JobFailure, match=r"is not executable\. Make it so: chmod \+x"):
        started(image, "train")


@pytest.mark.parametrize("how", ["RUN chmod +x /opt/program/train\n", "COPY --chmod=755 train /opt/program/\n"])
def test_a_script_that_the_dockerfile_makes_executable_is_run(tmp_path: Path, how: str) -> None:
    image = image_of(tmp_path, BYO + how, {"train": PYTHON}, mode=0o644)
    assert started(image, "train") == ["python", str(tmp_path / "train")]


@pytest.mark.parametrize(
    ("dockerfile", "reason"),
    [
        ("", "the image has no program 'train' on its PATH and no ENTRYPOINT. Give "),
        ("ENV PATH=/app\nCOPY train /app/trains", "the image has no program 'train' on its PATH and no ENTRYPOINT."),
        ('ENTRYPOINT ["no-such-program"]', "'no-such-program', which starts the image, is neither on this machine"),
        ('ENTRYPOINT ["/app/start.sh"]', "'/app/start.sh', which starts the image, is neither on this machine"),
        (
            'COPY <<E /start.sh\n#!/bin/sh\nE\nENTRYPOINT ["/start.sh"]',
            "'/start.sh', which starts the image, is neither",
        ),
    ],
)
def test_a_program_that_is_not_found_is_named(tmp_path: Path, dockerfile: str, reason: str) -> None:
    image = image_of(tmp_path, f"FROM u\n{dockerfile}\n", {"train": PYTHON})
    with pytest.raises(JobFailure) as failure:
        started(image, "train")
    assert str(failure.value).startswith(f"ClientError: {reason}")


def test_path_has_the_images_folders_and_then_this_pythons(tmp_path: Path) -> None:
    image = image_of(tmp_path, "FROM u\nENV PATH=/opt/conda/bin:/app:/usr/bin\nCOPY . /app\n", {})
    path = search_path(image).split(os.pathsep)
    assert path[:2] == [str(tmp_path), str(Path(sys.executable).parent)]
    assert path[-1] == "/opt/conda/bin"


def test_a_list_of_paths_has_each_moved(tmp_path: Path) -> None:
    image = image_of(tmp_path, "FROM u\nCOPY . /app\n", {"src/t.py": ""})
    assert moved_list("/app/src:/else::rel", image) == f"{tmp_path}/src:/else::rel"
    image = image_of(tmp_path, "FROM u\nCOPY src /app/src\n", {"src/t.py": ""})
    assert moved_list("/app", image) == str(tmp_path)


def test_a_long_word_of_any_kind_stays_as_it_is(tmp_path: Path) -> None:
    image = image_of(tmp_path, "FROM u\nCOPY . /app\n", {})
    words = [f"import {'x' * 400}", f"/app/{'y' * 400}", f"/{'z/' * 3000}", "\N{NULL}", "a\nb"]
    assert runnable(["python", "-c", *words], image, BASE, search_path(image)) == ["python", "-c", *words]


@pytest.mark.skipif(os.getuid() == 0, reason="root reads every file")
def test_a_script_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    image = image_of(tmp_path, BYO, {"train": PYTHON})
    (tmp_path / "train").chmod(0o111)
    with pytest.raises(JobFailure, match="train can't be read: Permission denied"):
        started(image, "train")


@pytest.mark.parametrize(
    ("specification", "words"),
    [
        ({}, ["a", "b"]),
        ({"ContainerArguments": ["c"]}, ["a", "c"]),
        ({"ContainerEntrypoint": ["d"]}, ["d"]),
        ({"ContainerEntrypoint": ["d"], "ContainerArguments": ["c"]}, ["d", "c"]),
    ],
)
def test_cmd_follows_the_images_own_entrypoint_alone(
    tmp_path: Path, specification: dict[str, list[str]], words: list[str]
) -> None:
    image = image_of(tmp_path, 'FROM u\nENTRYPOINT ["a"]\nCMD ["b"]\n', {})
    assert command(image, specification, []) == words
