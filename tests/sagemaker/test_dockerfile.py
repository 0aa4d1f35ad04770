"""Dockerfiles as people write them: variables, stages, continued lines, here-documents, encodings."""

import os
import sys
from pathlib import Path

import pytest

from seedbed.local_cloud.sagemaker.containers.images import Image, read_image
from seedbed.local_cloud.sagemaker.errors import JobFailure

OWN_PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def read(folder: Path, text: str | bytes) -> Image:
    (folder / "Dockerfile").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_image(folder)


@pytest.mark.parametrize(
    ("instructions", "name", "value"),
    [
        ('ENV PATH="/opt/program:${PATH}"', "PATH", f"/opt/program:{OWN_PATH}"),
        ("ENV A=1\nENV X=$A/b", "X", "1/b"),
        ("ENV A=1\nENV X ${A}b", "X", "1b"),
        ("ENV A=old\nENV A=new X=$A", "X", "old"),
        ("ENV X=$UNKNOWN", "X", ""),
        ("ENV X=${A:-word}", "X", "word"),
        ("ENV A=\nENV X=${A:-word}", "X", "word"),
        ("ENV A=\nENV X=${A-word}", "X", ""),
        ("ENV A=1\nENV X=${A:+word}", "X", "word"),
        ("ENV X=${A:+word}", "X", ""),
        ("ENV B=1\nENV X=${A:-${B}2}", "X", "12"),
        ('ENV A=1\nENV X="${A:?must be set}"', "X", "1"),
        ("ENV A=a.tar.gz\nENV X=${A%.*}", "X", "a.tar"),
        ("ENV A=a.tar.gz\nENV X=${A%%.*}", "X", "a"),
        ("ENV A=a.tar.gz\nENV X=${A#*.}", "X", "tar.gz"),
        ("ENV A=a.tar.gz\nENV X=${A##*.}", "X", "gz"),
        ("ENV A=a-b-a\nENV X=${A/a/c}", "X", "c-b-a"),
        ("ENV A=a-b-a\nENV X=${A//a/c}", "X", "c-b-c"),
        (r"ENV X=\$A", "X", "$A"),
        (r'ENV X="\$A \"b\" \n"', "X", r'$A "b" \n'),
        ("ENV X='$A ${B'", "X", "$A ${B"),
        (r"ENV X=two\ words Y=1", "X", "two words"),
        ("ENV X='it'\"'s\"", "X", "it's"),
        ("ENV X a  'b' c", "X", "a  b c"),
        ("ENV X=a=b", "X", "a=b"),
        ("ENV X=", "X", ""),
        ("ENV X=100$", "X", "100$"),
        ("ENV A=X\nENV ${A}=1", "X", "1"),
        ("ENV\tX=1", "X", "1"),
        ("ENV X=1 \\\n  Y=2", "Y", "2"),
        ("ENV X=1 \\\n# a comment\n\n   # another\n  Y=2", "Y", "2"),
        ("ENV X=1 \\ \t\n  Y=2", "Y", "2"),
        ("ENV X=1\\\n2", "X", "12"),
        ("env X=1", "X", "1"),
        ("  ENV X=1", "X", "1"),
        ("ENV X=1\r", "X", "1"),
        ("ENV X=#1", "X", "#1"),
        ("RUN <<EOF\nENV X=bad\nEOF\nENV X=good", "X", "good"),
        ("ENV X=good\nRUN cat <<-'E' >a <<F\n\tE\nENV X=bad\nF", "X", "good"),
        ("ENV X=good\nCOPY <<a /a\nENV X=bad\na", "X", "good"),
        ("ENV X=good\nONBUILD RUN <<E\nENV X=bad\nE", "X", "good"),
        ('ENV X=1\nRUN echo "<<EOF"\nENV X=2', "X", "2"),
        ("ENV X=1\nONBUILD ENV X=2\nLABEL X=3\nUSER me", "X", "1"),
        ("ARG A=1\nENV X=$A", "X", "1"),
        ("ARG A=1 B=2\nENV X=$A$B", "X", "12"),
        ("ARG A=1\nENV A=2\nENV X=$A", "X", "2"),
        ("ARG A\nENV X=[$A]", "X", "[]"),
        ("ARG TARGETOS\nENV X=$TARGETOS", "X", "linux"),
    ],
)
def test_a_variable_has_the_value_that_docker_gives_it(
    tmp_path: Path, instructions: str, name: str, value: str
) -> None:
    assert read(tmp_path, f"FROM base\n{instructions}\n").environment[name] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("FROM a AS b\nENV X=1\nFROM b\nENV Y=2", "1"),
        ("FROM a as b\nENV X=1\nFROM --platform=linux/amd64 B AS c\nFROM c", "1"),
        ("FROM a AS b\nENV X=1\nFROM c", None),
        ("ARG V=1\nFROM a:$V\nENV X=[$V]", "[]"),
        ("ARG V=1\nFROM a:$V\nARG V\nENV X=$V", "1"),
        ("ARG V=1\nFROM a\nARG V=2\nENV X=$V", "2"),
        ("ARG N=b\nFROM a AS b\nENV X=1\nFROM ${N}", "1"),
        ("# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nENV X=c:\\b `\n Y=2", "c:\\b"),
        ("# escape=`\nFROM a\nENV X=`$A", "$A"),
        ("# a comment\n# escape=`\nFROM a\nENV X=1 \\\n Y=2", "1"),
        ("# syntax=example.com/own:1\nFROM a\nINCLUDE b\nENV X=1", "1"),
    ],
)
def test_the_last_stage_counts_with_what_it_inherits(tmp_path: Path, text: str, value: str | None) -> None:
    assert read(tmp_path, text).environment.get("X") == value


@pytest.mark.parametrize(
    "content",
    [
        "FROM a\nENV X=é\n".encode(),
        "\ufeffFROM a\nENV X=é\n".encode(),
        "FROM a\nENV X=é\n".encode("latin-1"),
        "\ufeffFROM a\r\nENV X=é\r\n".encode("utf-16-le"),
        "\ufeffFROM a\nENV X=é\n".encode("utf-16-be"),
        "FROM a\nENV X=é\n".encode("utf-16-le"),
        "FROM a\nENV X=é\n".encode("utf-16-be"),
        "FROM a\nENV X=é".encode(),
    ],
    ids=["UTF-8", "with BOM", "Latin-1", "UTF-16 LE, BOM", "UTF-16 BE, BOM", "UTF-16 LE", "UTF-16 BE", "no last end"],
)
def test_a_dockerfile_may_have_any_encoding(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content).environment == {"X": "é"}


@pytest.mark.parametrize(
    ("text", "entrypoint", "command"),
    [
        ('ENTRYPOINT ["a", "b"]', ["a", "b"], []),
        ('ENTRYPOINT\t[ "a" ]', ["a"], []),
        ('ENTRYPOINT ["a", \\\n# comment\n "b"]', ["a", "b"], []),
        ("ENTRYPOINT python $X", ["/bin/sh", "-c", "python $X"], []),
        ("ENTRYPOINT [ -f a ] && b", ["/bin/sh", "-c", "[ -f a ] && b"], []),
        ('SHELL ["/bin/bash", "-c"]\nENTRYPOINT a', ["/bin/bash", "-c", "a"], []),
        ('ENTRYPOINT ["a"]\nCMD ["b"]', ["a"], ["b"]),
        ('CMD ["b"]\nENTRYPOINT ["a"]', ["a"], ["b"]),
        ("CMD b c", [], ["/bin/sh", "-c", "b c"]),
        ('ENTRYPOINT ["a"]\nENTRYPOINT []', [], []),
        ('ENTRYPOINT ["a"]\nHEALTHCHECK --interval=5s CMD b\nONBUILD CMD c', ["a"], []),
        ('ENTRYPOINT ["$X", "${X}"]', ["$X", "${X}"], []),
        ('CMD ["b"]\nFROM c', [], []),
        ('ENTRYPOINT ["a"]\nCMD ["b"]\nFROM first', ["a"], ["b"]),
        ('CMD ["b"]\nFROM first\nENTRYPOINT ["a"]', ["a"], []),
    ],
)
def test_entrypoint_and_cmd_follow_the_rules_of_docker(
    tmp_path: Path, text: str, entrypoint: list[str], command: list[str]
) -> None:
    image = read(tmp_path, f"FROM base AS first\n{text}\n")
    assert (image.entrypoint, image.stage.command) == (entrypoint, command)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1: there are no instructions here"),
        ("# nothing\n", "line 1: there are no instructions here"),
        ("FROM a\n\nFOO bar", "line 3: 'FOO' is not an instruction of Dockerfiles"),
        ("<html>\n", "line 1: '<HTML>' is not an instruction of Dockerfiles"),
        ("FROM a\nENV A", "line 2: ENV needs a name and a value, as in ENV NAME=value"),
        ("FROM a\nENV A=1 B", "line 2: ENV needs a name and a value, as in ENV NAME=value"),
        ("FROM a\nENV", "line 2: ENV needs a value"),
        ("FROM a\nENV =b", "line 2: ENV needs a name before the ="),
        ("FROM a\n" + "ENV A=1\n" * 2000, "line 2001: there are more than 2,000 instructions"),
        ("FROM a\nENV A='b", "line 2: a closing ' is missing"),
        ('FROM a\nENV A="b', 'line 2: a closing " is missing'),
        ("FROM a\nENV A=${B", "line 2: ${B is followed by a form that Dockerfiles don't have"),
        ("FROM a\nENV A=${B:-c", "line 2: a closing } is missing"),
        ("FROM a\nENV A=${}", "line 2: ${ needs the name of a variable"),
        ("FROM a\nENV A=${B@c}", "line 2: ${B is followed by a form that Dockerfiles don't have"),
        ('FROM a\nENV A="${B:?say it}"', "line 2: B is not set: say it"),
        ("FROM a\nENV A=" + "${A:-" * 30, "line 2: ${ is nested too deeply"),
        ("FROM a\nENV A=1\n" + "ENV A=$A$A$A$A\n" * 40, "line 11: a value is longer than 128 KiB"),
        ("FROM a\nRUN \\\n b <<END\nx", "line 2: its here-document does not end: a line with only END is missing"),
        ("FROM a\nENTRYPOINT ['a']", "line 2: write the list of ENTRYPOINT as JSON, with double quotes and commas"),
        ('FROM a\nENTRYPOINT ["a" "b"]', "line 2: write the list of ENTRYPOINT as JSON"),
        ("FROM a\nCMD " + "[" * 90_000 + "]", "line 2: write the list of CMD as JSON"),
        (
            'FROM a\nENTRYPOINT ["a", 3]',
            "line 2: each item in the list of ENTRYPOINT must be a string in double quotes",
        ),
        ("FROM a\nENTRYPOINT", "line 2: ENTRYPOINT needs a value"),
        ("FROM a\nSHELL bash", 'line 2: SHELL needs a list, as in SHELL ["/bin/bash", "-c"]'),
    ],
)
def test_what_cannot_be_read_is_one_sentence_with_its_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(JobFailure) as failure:
        read(tmp_path, text)
    assert str(failure.value).startswith(f"ClientError: {tmp_path}/Dockerfile, {reason}")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobFailure, match="is not a text: is it a Dockerfile"):
        read(tmp_path, b"FROM a\nENV X=a\0b\n")


def test_a_huge_file_is_refused_by_its_size(tmp_path: Path) -> None:
    with pytest.raises(JobFailure, match="larger than 1 MiB"):
        read(tmp_path, b"FROM a\n" * 200_000)


@pytest.mark.parametrize("name", ["Dockerfile", "dockerfile", "Containerfile"])
def test_a_folders_dockerfile_may_have_another_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("FROM a\nENV X=1\n")
    assert read_image(tmp_path).environment == {"X": "1"}


def test_a_dockerfile_may_be_given_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.cpu").write_text("FROM a\nENV X=1\n")
    image = read_image(tmp_path / "Dockerfile.cpu")
    assert (image.folder, image.environment) == (tmp_path, {"X": "1"})


def test_a_folder_with_other_dockerfiles_names_them(tmp_path: Path) -> None:
    for name in ("Dockerfile.gpu", "Dockerfile.cpu"):
        (tmp_path / name).write_text("FROM a\n")
    with pytest.raises(
        JobFailure, match=r"no Dockerfile, but Dockerfile\.cpu and Dockerfile\.gpu\. .*=.*/Dockerfile\.cpu"
    ):
        read_image(tmp_path)
