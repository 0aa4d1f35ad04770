"""cfn-lint and checkov find nothing in the templates, but for what is suppressed with its reason beside it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.children import run
from tests.contract.template import ROOT

LINTER = ROOT / ".venv" / "bin" / "cfn-lint"
CHECKOV = ROOT / ".venv" / "lint" / "bin" / "checkov"
TEMPLATES = [path for path in (ROOT / "template.yaml", ROOT / "seedbed/deploy/build_stack.yaml") if path.exists()]
OPEN = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: open-to-all
"""
OFFLINE = {"CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false", "LOG_LEVEL": "ERROR"}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_cfn_lint_finds_nothing(template: Path) -> None:
    answer = run([LINTER, template], cwd=ROOT)

    assert answer.returncode == 0, answer.stdout


def checkov(*templates: Path) -> Any:
    """Checkov's report on templates; it looks nothing up."""
    files = [word for template in templates for word in ("--file", str(template))]
    command = [str(CHECKOV), "--framework", "cloudformation", "--skip-download", "--output", "json", *files]
    answer: subprocess.CompletedProcess[str] = run(command, cwd=ROOT, env={**os.environ, **OFFLINE})
    assert answer.returncode in {0, 1}, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not in .venv/lint: `make test` puts it there")
def test_checkov_finds_nothing_and_each_suppression_has_its_reason(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open.yaml"
    open_to_all.write_text(OPEN, encoding="utf-8")

    report = checkov(*TEMPLATES, open_to_all)

    assert report["summary"]["parsing_errors"] == 0
    failed = [check for check in report["results"]["failed_checks"] if check["file_abs_path"] != str(open_to_all)]
    assert [f"{check['check_id']} {check['resource']} {check['check_name']}" for check in failed] == []
    assert len(failed) < len(report["results"]["failed_checks"])
    for check in report["results"]["skipped_checks"]:
        assert len(check["check_result"]["suppress_comment"].split()) >= 6, check["resource"]
