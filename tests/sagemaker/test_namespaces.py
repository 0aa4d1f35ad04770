"""A job that runs as a process has its own folder at /opt/ml and a host name of its own, where the system allows it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.containers.cluster.hosts_file import with_files_first
from seedbed.local_cloud.sagemaker.containers.image_files import ImageFiles
from seedbed.local_cloud.sagemaker.containers.namespaces import NamespaceError, Namespaces, refusal
from seedbed.local_cloud.sagemaker.containers.opt_ml import add_image_files
from tests import children
from tests.sagemaker.toy_endpoint import IMAGE, Endpoint

needs_namespaces = pytest.mark.skipif(bool(refusal()), reason=f"the system refuses: {refusal()}")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

NOBODY = 65534
SCRIPT = """
import json, os, pathlib, socket
given = json.loads(pathlib.Path("/opt/ml/input/config/hyperparameters.json").read_text())
pathlib.Path("/opt/ml/model/seen.json").write_text(json.dumps({
    "given": given, "host": socket.gethostname(), "address": socket.gethostbyname("algo-1"),
    "base": os.environ["SAGEMAKER_BASE_DIR"], "code": pathlib.Path("/opt/ml/code/note.txt").read_text(),
}))
print("by itself")
"""
DOCKERFILE = "FROM x\nCOPY . /opt/ml/code\nENV OUT=/opt/ml/model\nENTRYPOINT python /opt/ml/code/t.py && ls $OUT\n"
ALLOWS_NONE = ("unshare", "-Ur", "sh", "-c", 'echo 0 >/proc/sys/user/max_mnt_namespaces && exec "$@"', "sh")


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An endpoint with an image whose program knows no other place than /opt/ml."""
    folder = tmp_path_factory.mktemp("fixed")
    for name, content in {"Dockerfile": DOCKERFILE, "t.py": SCRIPT, "note.txt": "mine"}.items():
        (folder / name).write_text(content)
    server = Endpoint(folder / "endpoint", images={"fixed": folder})
    yield server
    server.end()


@pytest.fixture
def refused(tmp_path: Path) -> Iterator[Endpoint]:
    """An endpoint on a system that allows no mount namespace."""
    works = subprocess.run([*ALLOWS_NONE, "true"], capture_output=True, check=False).returncode == 0
    server = Endpoint(tmp_path / "endpoint", within=() if refusal() or not works else ALLOWS_NONE)
    yield server
    server.end()


def inside(tmp_path: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """What came of a program in a namespace, with tmp_path/ml as its /opt/ml."""
    base = tmp_path / "ml"
    base.mkdir(exist_ok=True)
    with entered(tmp_path / "etc", words, base) as command:
        return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@contextlib.contextmanager
def entered(etc: Path, words: Sequence[str], base: Path) -> Iterator[list[str]]:
    """The command for a program in a namespace of its own."""
    namespaces = Namespaces(etc)
    entry = namespaces.entry(words, base, base)
    try:
        yield entry.command
    finally:
        entry.close()
        namespaces.close()


def image(name: str) -> dict[str, Any]:
    return {"TrainingImage": f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{name}:1", "TrainingInputMode": "File"}


@needs_namespaces
def test_a_program_that_says_opt_ml_runs_unchanged(fixed: Endpoint) -> None:
    before = sorted(Path("/opt").iterdir())
    fixed.train("says-opt-ml", {"rate": "0.5"}, AlgorithmSpecification=image("fixed"))
    job = fixed.ended("training", "says-opt-ml")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert fixed.log("training-job", "says-opt-ml") == "by itself\nseen.json\n"
    assert sorted(Path("/opt").iterdir()) == before


@needs_namespaces
def test_it_sees_its_own_folder_host_and_code(fixed: Endpoint) -> None:
    fixed.train(
        "sees",
        {"rate": "0.5"},
        AlgorithmSpecification=image("fixed"),
        OutputDataConfig={"S3OutputPath": f"s3://{fixed.bucket}/out", "CompressionType": "NONE"},
    )
    fixed.ended("training", "sees")
    seen = json.loads(fixed.read("out/sees/output/model/seen.json"))
    expected = {"given": {"rate": "0.5"}, "host": "algo-1", "address": "127.0.0.1", "base": "/opt/ml", "code": "mine"}
    assert seen == expected


@needs_namespaces
def test_a_jobs_own_command_may_start_a_file_of_its_opt_ml(fixed: Endpoint) -> None:
    """As the SDK's ModelTrainer and ScriptProcessor do."""
    fixed.s3.put_object(Bucket=fixed.bucket, Key="drivers/go.sh", Body=b'#!/bin/sh\necho "$0 $1"\n')
    channel = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{fixed.bucket}/drivers/"}
    path = "/opt/ml/input/data/drivers/go.sh"
    own = {"ContainerEntrypoint": ["/bin/bash"], "ContainerArguments": ["-c", f"chmod +x {path} && {path} there"]}
    fixed.train(
        "drivers",
        AlgorithmSpecification={**image("fixed"), **own},
        InputDataConfig=[{"ChannelName": "drivers", "DataSource": {"S3DataSource": channel}}],
    )
    fixed.ended("training", "drivers")
    assert fixed.log("training-job", "drivers") == f"{path} there\n"


def test_without_namespaces_a_job_has_a_base_directory(refused: Endpoint) -> None:
    refused.train("moved", {"epochs": "1"})
    assert refused.ended("training", "moved")["TrainingJobStatus"] == "Completed"
    assert "SAGEMAKER_BASE_DIR" in (refused.data_dir / "server.log").read_text()


@pytest.mark.parametrize("kind", ["training", "processing"])
def test_without_namespaces_the_reason_says_where_opt_ml_is(refused: Endpoint, kind: str) -> None:
    words = [sys.executable, "-c", "open('/opt/' + 'ml/input/config/hyperparameters.json')"]
    if kind == "training":
        specification = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "ContainerEntrypoint": words}
        refused.train("looks", AlgorithmSpecification=specification)
    else:
        request = refused.processing_request("looks")
        request["AppSpecification"].update(ContainerEntrypoint=words, ContainerArguments=["x"])
        refused.sagemaker.create_processing_job(**request)
    reason = refused.ended(kind, "looks")["FailureReason"]
    assert "No such file or directory: '/opt/ml/input" in reason
    assert reason.endswith("its files are below SAGEMAKER_BASE_DIR, exit code: 1")


@needs_namespaces
@needs_root
def test_a_user_that_is_not_root_stays_who_it_is() -> None:
    with tempfile.TemporaryDirectory() as folder:
        base, etc = Path(folder, "ml"), Path(folder, "etc")
        for made in (base, etc):
            made.mkdir()
            os.chown(made, NOBODY, NOBODY)
        Path(folder).chmod(0o755)
        words = ["sh", "-c", "id -u; grep CapEff /proc/self/status; touch /opt/ml/mine"]
        if as_another_user("import seedbed.local_cloud.sagemaker.containers.namespaces").returncode != 0:
            pytest.skip("the system's Python can't load the endpoint for another user")
        done = as_another_user(f"{ENTER}; sys.exit(subprocess.run(entry.command).returncode)", etc, base, *words)
        assert done.stdout == f"{NOBODY}\nCapEff:\t0000000000000000\n", done.stderr
        assert (base / "mine").stat().st_uid == NOBODY


ENTER = (
    "import subprocess, sys; from pathlib import Path;"
    "from seedbed.local_cloud.sagemaker.containers.namespaces import Namespaces;"
    "etc, base, *words = sys.argv[1:]; entry = Namespaces(Path(etc)).entry(words, Path(base), Path(base))"
)


def as_another_user(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What comes of a program that another user starts, with the system's Python: this one may lie in root's home."""
    words = ["/usr/bin/python3", "-c", program, *map(str, arguments)]
    try:
        return subprocess.run(words, user=NOBODY, group=NOBODY, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"another user can't run the system's Python here: {error}")


@needs_namespaces
def test_what_the_machine_has_at_opt_ml_stays_hidden_and_untouched(tmp_path: Path) -> None:
    base = tmp_path / "ml"
    base.mkdir()
    enter = f"{ENTER}; sys.exit(subprocess.run(entry.command).returncode)"
    own = [
        sys.executable,
        "-c",
        enter,
        str(tmp_path / "etc"),
        str(base),
        "sh",
        "-c",
        "ls /opt/ml; echo x >/opt/ml/written",
    ]
    machine = 'mount -t tmpfs x /opt && mkdir /opt/ml && echo x >/opt/ml/theirs && "$@" && ls /opt/ml'
    inner = ["unshare", "-Urm", "sh", "-c", machine, "sh", *own]
    done = subprocess.run(inner, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip(f"the system refuses: {done.stderr}")
    assert (done.stdout, (base / "written").exists()) == ("theirs\n", True), done.stderr


@needs_namespaces
def test_what_the_machine_has_in_opt_is_there(tmp_path: Path) -> None:
    done = inside(tmp_path, "ls", "/opt")
    assert done.stdout.split() == sorted({path.name for path in Path("/opt").iterdir()} | {"ml"})


def signals_in(status: str) -> list[str]:
    """What a process blocks, ignores and catches, as Linux's /proc tells it."""
    lines = [line for line in status.splitlines() if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
    assert len(lines) == 3
    return lines


@needs_namespaces
def test_the_environment_and_signals_are_as_given(tmp_path: Path) -> None:
    given = {"PATH": os.environ["PATH"], "LC_ALL": "", "odd-name": "1"}
    seen = inside(tmp_path, "env", env=given).stdout
    assert dict(line.split("=", 1) for line in seen.splitlines()) == given
    status = ["cat", "/proc/self/status"]
    with entered(tmp_path / "etc", status, tmp_path / "ml") as command:
        assert signals_in(children.run(command).stdout) == signals_in(children.run(status).stdout)


@needs_namespaces
def test_it_ends_as_the_program_does(tmp_path: Path) -> None:
    assert inside(tmp_path, "sh", "-c", "exit 7").returncode == 7
    assert inside(tmp_path, "sh", "-c", "kill -9 $$").returncode == -signal.SIGKILL


@needs_namespaces
def test_a_program_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    done = inside(tmp_path, "/none")
    assert (done.returncode, "No such file or directory" in done.stderr) == (127, True)


@needs_namespaces
def test_the_process_group_is_the_jobs_own(tmp_path: Path) -> None:
    (tmp_path / "ml").mkdir()
    words = ["sh", "-c", "echo ready; sleep 600 & wait"]
    with (
        entered(tmp_path / "etc", words, tmp_path / "ml") as command,
        children.started(command, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        family = children.family_of(process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        assert children.exited(process) == -signal.SIGKILL
        children.wait_until_gone(family)


@needs_namespaces
def test_each_job_has_its_own_though_one_helper_makes_them(tmp_path: Path) -> None:
    namespaces = Namespaces(tmp_path / "etc")
    entries = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(name)
        entries.append(namespaces.entry(["cat", "/opt/ml/name"], tmp_path / name, tmp_path))
    namespaces.close()
    said = [subprocess.run(entry.command, capture_output=True, text=True, check=False).stdout for entry in entries]
    for entry in entries:
        entry.close()
    assert said == ["a", "b"]


@needs_namespaces
def test_a_helper_that_was_killed_is_started_again(tmp_path: Path) -> None:
    namespaces = Namespaces(tmp_path / "etc")
    for _ in range(2):
        entry = namespaces.entry(["true"], tmp_path, tmp_path)
        assert subprocess.run(entry.command, check=False).returncode == 0
        entry.close()
        for child in children.family_of(os.getpid()):
            if str(tmp_path / "etc") in child.cmdline():
                child.kill()
                child.wait()
    namespaces.close()


@needs_namespaces
def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    namespaces = Namespaces(tmp_path / "etc")
    with pytest.raises(NamespaceError, match=r"own here \(/opt/ml: No such file or directory\)"):
        namespaces.entry(["true"], tmp_path / "none", tmp_path)
    namespaces.close()


def test_hosts_are_looked_for_in_files_first() -> None:
    switch = "passwd: files\nhosts:  mymachines resolve [!UNAVAIL=return] files dns\n"
    assert with_files_first(switch) == switch.replace("hosts:", "hosts: files")


def test_other_systems_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert refusal.__wrapped__() == "a process can't have an /opt/ml of its own here (only Linux has mount namespaces)"


def test_the_images_own_files_below_opt_ml_are_the_jobs(tmp_path: Path) -> None:
    source, base = tmp_path / "source", tmp_path / "source/data/job"
    for name in ("code/t.py", "opt/ml/lib/x.py", "opt/ml/input/y"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    (base / "input").mkdir(parents=True)
    files = ImageFiles([("/", source), ("/opt/ml/code", source), ("/opt/ml/one.py", source / "code/t.py")])
    add_image_files(base, files, source / "data")
    found = sorted(str(path.relative_to(base)) for path in base.rglob("*") if path.is_file())
    copied = [f"code/{name}" for name in ("code/t.py", "opt/ml/input/y", "opt/ml/lib/x.py")]
    assert found == sorted([*copied, "lib/x.py", "one.py"])
