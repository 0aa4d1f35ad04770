"""Which region of AWS a command uses."""

import pytest

from seedbed.stack import aws_session


def test_the_region_is_that_of_aws_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    assert aws_session().region_name == "eu-west-3"
    assert aws_session("eu-north-1").region_name == "eu-north-1"


def test_without_aws_region_it_is_that_of_aws_default_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")

    assert aws_session().region_name == "sa-east-1"
