"""On a full disk the API says that the disk is full; what fails for another reason is passed on."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from seedbed.local_cloud.disk.api import API, ApiOnFullDisk
from seedbed.local_cloud.sagemaker.disk import Disk
from seedbed.stack import refusal


class OnDisk(Disk):
    """A disk with so many bytes free."""

    def __init__(self, folder: Path, room: int) -> None:
        super().__init__(folder)
        self._room = room

    def free(self) -> int:
        return self._room


def answer(disk: Disk, status: int, path: str) -> tuple[int, dict[str, Any]]:
    sent: list[Any] = []

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b'{"message": "its own"}'})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    asyncio.run(ApiOnFullDisk(failing, disk)({"type": "http", "path": path}, receive, send))
    start, body = sent
    return start["status"], json.loads(body["body"])


def test_a_failure_on_a_full_disk_says_that_it_is_full(tmp_path: Path) -> None:
    status, content = answer(OnDisk(tmp_path, 0), 502, f"{API}abc/$default/runs")

    assert status == 507
    sentence = refusal(status, content)
    assert sentence.startswith(f"The disk is full: The disk that holds {tmp_path} has less than ")
    assert "Make room on it" in sentence


@pytest.mark.parametrize(
    ("room", "status", "path"),
    [(2**50, 502, f"{API}abc/$default/runs"), (0, 404, f"{API}abc/$default/runs"), (0, 502, "/bucket/key")],
)
def test_another_answer_is_passed_on(tmp_path: Path, room: int, status: int, path: str) -> None:
    assert answer(OnDisk(tmp_path, room), status, path) == (status, {"message": "its own"})


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (404, {"message": "There is no run x."}, "There is no run x."),
        (403, {"message": "Forbidden"}, "You may not ask this stack"),
        (429, {"message": "Too Many Requests"}, "AWS takes no more requests for the moment"),
        (500, {"message": "Internal Server Error"}, "The API could not answer (500): run this again"),
        (502, {}, "The API could not answer (502): run this again"),
    ],
)
def test_a_refusal_of_the_api_is_a_sentence(status: int, content: dict[str, str], sentence: str) -> None:
    assert refusal(status, content).startswith(sentence)
