"""The examples as their READMEs have them run, with fewer jobs."""

import io
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.contract.template import ROOT
from tests.sagemaker.toy_endpoint import CREDENTIALS, Endpoint

EXAMPLES = ROOT / "examples"
IMAGES = re.compile(r"--image ([\w-]+)=(\S+)")
PROGRAMS = re.compile(r"^\.venv/bin/python (\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The endpoint with the images that the READMEs name."""
    texts = [readme.read_text(encoding="utf-8") for readme in sorted(EXAMPLES.glob("*/README.md"))]
    images = {name: ROOT / folder for text in texts for name, folder in IMAGES.findall(text)}
    server = Endpoint(tmp_path_factory.mktemp("examples"), images=images)
    yield server
    server.end()


def tune(folder: Path, server: Endpoint, options: Sequence[str]) -> str:
    """What the example's tune.py prints, run as its README says."""
    shell = {name: value for name, value in os.environ.items() if name not in {"AWS_PROFILE", "AWS_SESSION_TOKEN"}}
    program = next(iter(PROGRAMS.findall((folder / "README.md").read_text(encoding="utf-8"))))
    done = subprocess.run(
        [sys.executable, program, *options],
        cwd=ROOT,
        env={**shell, **CREDENTIALS.environment(), "AWS_ENDPOINT_URL": server.url},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_own_container_is_tuned_and_its_best_model_kept(examples: Endpoint) -> None:
    said = tune(EXAMPLES / "own_container", examples, ["4"])

    best = re.search(r"Best of 4: (\S+), validation error (\d\.\d+), degree (\d+), penalty (\S+)", said)
    assert best, said
    model = examples.s3.get_object(Bucket="curve", Key=f"models/{best.group(1)}/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(model)) as archive:
        polynomial = archive.extractfile("polynomial.json")
        assert polynomial
        assert len(json.loads(polynomial.read())["coefficients"]) == int(best.group(3)) + 1


def test_founding_article_trains_its_network(examples: Endpoint) -> None:
    said = tune(EXAMPLES / "founding_article", examples, ["--draw", "2", "--jobs", "1", "--epochs", "1", "1"])

    best = re.search(r"^Best: (\S+): accuracy ([01]\.\d{4}), \{.*'epochs': '1'", said, re.MULTILINE)
    assert best, said
    examples.s3.head_object(Bucket="founding", Key=f"models/{best.group(1)}/output/model.tar.gz")
