"""SAM accepts the template and builds it into packages that Lambda takes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from tests.children import run
from tests.contract.template import ROOT, Template

SAM = ROOT / ".venv" / "sam" / "bin" / "sam"
RUNTIME = Template().content["Globals"]["Function"]["Runtime"]
LARGEST_PACKAGES = {"functions/": 20_000_000, "predictions/": 200_000_000}
"""Lambda takes 250 MB; a larger package starts later."""

pytestmark = pytest.mark.skipif(not SAM.exists(), reason="the SAM CLI is not in .venv/sam: `make test` puts it there")


def sam(*arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
        "PATH": os.pathsep.join(filter(None, [path, os.environ["PATH"]])),
    }
    return run([SAM, *arguments], cwd=ROOT, env=environment)


def runtime_python() -> Path | None:
    """The folder of a Python of the functions' version: a pyenv's own, as its shims answer only for the chosen one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    version = RUNTIME.removeprefix("python")
    found = [*sorted(pyenv.glob(f"{version}.*/bin/{RUNTIME}")), *filter(None, [shutil.which(RUNTIME)])]
    for python in map(Path, found):
        answer = run([python, "--version"])
        if answer.stdout.startswith(f"Python {version}."):
            return python.parent
    return None


def test_sam_validates_the_template() -> None:
    answer = sam("validate", "--lint")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "is a valid SAM Template" in answer.stdout


def test_sam_builds_packages_that_lambda_accepts(tmp_path: Path) -> None:
    python = runtime_python()
    if python is None:
        pytest.skip(f"sam build needs {RUNTIME} on the PATH or in pyenv")

    answer = sam(
        "build",
        "--no-cached",
        "--build-dir",
        str(tmp_path / "build"),
        "--cache-dir",
        str(tmp_path / "cache"),
        path=str(python),
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    text = (tmp_path / "build" / "template.yaml").read_text(encoding="utf-8")
    built = Template(tmp_path / "build" / "template.yaml")
    assert built.functions.keys() == Template().functions.keys()
    assert not [token for token in yaml.scan(text) if isinstance(token, yaml.AnchorToken | yaml.AliasToken)]
    for name, function in built.functions.items():
        package = tmp_path / "build" / function["CodeUri"]
        assert (package / (function["Handler"].split(".")[0] + ".py")).exists()
        assert (
            sum(file.stat().st_size for file in package.rglob("*") if file.is_file())
            <= (LARGEST_PACKAGES[Template().functions[name]["CodeUri"]])
        )
