"""How Dockerfiles are read, and the paths, environment and failure reasons of containers."""

from pathlib import Path

import pytest

from seedbed.local_cloud.sagemaker.containers.cluster.hosts import Cluster
from seedbed.local_cloud.sagemaker.containers.docker import Engine
from seedbed.local_cloud.sagemaker.containers.images import folder_of, read_image
from seedbed.local_cloud.sagemaker.containers.launcher import command, environment
from seedbed.local_cloud.sagemaker.containers.opt_ml import local_path, moved, read_message
from seedbed.local_cloud.sagemaker.errors import Invalid, JobFailure
from seedbed.local_cloud.sagemaker.jobs import failure_reason
from tests.sagemaker.settings import endpoint_settings

DOCKERFILE = """FROM python:3.12-slim
# ENTRYPOINT ["a", "comment"]
ENV ONE=1 \\
    TWO="two words"
env OLD style
RUN echo ENTRYPOINT
ENTRYPOINT ["first"]
ENTRYPOINT [ "python", "-m", "trainer" ]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


def test_the_last_entrypoint_and_every_env_are_read(folder: Path) -> None:
    image = read_image(folder)
    assert image.entrypoint == ["python", "-m", "trainer"]
    assert image.environment == {"ONE": "1", "TWO": "two words", "OLD": "style"}


def test_a_folder_without_a_dockerfile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobFailure, match="no Dockerfile"):
        read_image(tmp_path)


def test_an_image_that_says_nothing_about_its_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(JobFailure, match="neither ENTRYPOINT nor CMD"):
        command(read_image(tmp_path), {}, [])


def test_a_training_job_runs_the_entrypoint_with_train(folder: Path) -> None:
    assert command(read_image(folder), {}, ["train"]) == ["python", "-m", "trainer", "train"]


@pytest.mark.parametrize(
    "uri",
    ["toy", "toy:latest", "toy@sha256:ab", "a/b/toy:1", "1.dkr.ecr.us-east-1.amazonaws.com/toy:1", "host:5000/toy"],
)
def test_an_image_uri_names_its_repository(uri: str, tmp_path: Path) -> None:
    assert folder_of(uri, {"toy": tmp_path}) == tmp_path


def test_an_unknown_repository_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"'other'.*Known repositories: toy"):
        folder_of("other:1", {"toy": tmp_path})


@pytest.mark.parametrize(
    ("text", "there"),
    [("/opt/ml", "/job"), ("/opt/ml/a b", "/job/a b"), ("/opt/mlx", "/opt/mlx"), ("s3://x", "s3://x")],
)
def test_only_paths_below_opt_ml_are_moved(text: str, there: str) -> None:
    assert moved(text, Path("/job")) == there


@pytest.mark.parametrize("path", ["/opt/ml", "/opt/ml/..", "/opt/ml/a/../../x", "relative", "", "/tmp/x"])
def test_a_local_path_outside_opt_ml_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="LocalPath"):
        local_path(path, Path("/job"))


def test_a_persons_credentials_stay_out_of_the_container(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_PROFILE", "real")
    settings = endpoint_settings(tmp_path)
    given = environment(read_image(folder), settings, tmp_path, threads=3, job={"MOOD": "calm"})
    assert not {"AKIAREAL", "real"} & set(given.values())
    assert given["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert (given["SAGEMAKER_BASE_DIR"], given["OMP_NUM_THREADS"]) == (str(tmp_path), "3")
    assert (given["TWO"], given["MOOD"]) == ("two words", "calm")


def test_a_message_may_be_long_missing_or_not_text(tmp_path: Path) -> None:
    assert read_message(tmp_path, "none") == ""
    (tmp_path / "message").write_bytes(b"\xff" + b"x" * 9000)
    assert len(read_message(tmp_path, "message")) == 1024
    (tmp_path / "message").write_bytes(b"10%\r20%\r\n\x1b[31mno seedlings\x1b[0m\r\n")
    assert read_message(tmp_path, "message") == "20%\nno seedlings"


def test_a_reason_from_the_output_keeps_its_end() -> None:
    reason = failure_reason("", 1, ["x" * 2000, "the end"])
    assert len(reason) == 1024
    assert reason.startswith("AlgorithmError: x")
    assert reason.endswith("the end, exit code: 1")


@pytest.mark.parametrize("status", [-9, 137])
def test_a_killed_containers_reason_says_what_to_lower(status: int) -> None:
    """-9 is the exit status of a process, 137 that of `docker run`."""
    reason = failure_reason("", status, ["epoch 3/20"])
    assert reason.startswith("AlgorithmError: Killed by signal 9 (SIGKILL), probably for too little memory: lower ")
    assert reason.endswith(" It said last: epoch 3/20, exit code: 137")


def test_the_reason_names_the_signal_that_ended_a_container() -> None:
    assert failure_reason("", -11, []) == (
        "AlgorithmError: Ended by signal 11 (SIGSEGV). It said last: the container said nothing, exit code: 139"
    )
    assert failure_reason("no room", -6, ["x"]) == (
        "AlgorithmError: Ended by signal 6 (SIGABRT). no room, exit code: 134"
    )


@pytest.mark.parametrize("status", [-15, -9, 1, 128, 193, 255])
def test_a_reason_is_never_longer_than_sagemaker_allows(status: int) -> None:
    for message in ("", "m" * 3000):
        reason = failure_reason(message, status, ["t" * 3000])
        assert len(reason) == 1024
        assert reason.endswith(f", exit code: {128 - status if status < 0 else status}")
    assert ("signal" in failure_reason("", status, [])) is (status < 0)


def test_no_secret_is_in_the_docker_command(tmp_path: Path) -> None:
    given = {"AWS_SECRET_ACCESS_KEY": "a secret", "PATH": "/opt/program"}
    words = Engine("owner", shares_network=True).options("job", tmp_path, given, 1.0)
    assert "a secret" not in " ".join(words)
    assert {"AWS_SECRET_ACCESS_KEY", "PATH=/opt/program"} <= set(words)


def test_a_docker_containers_host_has_a_jobs_name() -> None:
    words = Engine("owner", shares_network=True).network()
    assert words[words.index("--hostname") :][:4] == ["--hostname", "algo-1", "--add-host", "algo-1:127.0.0.1"]


def test_docker_containers_of_one_machine_find_each_other_by_addresses() -> None:
    job = Cluster.of({"InstanceCount": 2}, "job")
    words = Engine("owner", shares_network=True).network(job.seen_by(job.hosts[1]))
    assert words[words.index("--hostname") + 1] == "algo-2"
    named = [words[place + 1] for place, word in enumerate(words) if word == "--add-host"]
    assert named == [f"algo-{number}:{job.hosts[0].address.removesuffix('1')}{number}" for number in (1, 2)]


def test_docker_containers_of_a_virtual_machine_get_a_network_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(Engine, "_quietly", lambda _, words: asked.append(words))
    engine, job = Engine("owner", shares_network=False), Cluster.of({"InstanceCount": 2}, "job")
    words = engine.network(job.seen_by(job.hosts[1]))
    network = words[words.index("--network") + 1]
    assert words[words.index("--network-alias") + 1] == "algo-2"
    assert "127." not in " ".join(words).replace(network, "")
    engine.leave_network(job)
    assert asked == [
        ["network", "create", "--label", "seedbed.sagemaker=owner", network],
        ["network", "rm", network],
    ]
