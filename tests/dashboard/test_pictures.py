"""Photographs of the bucket reach the browser through the page's own server, and nothing else does."""

import pytest

from seedbed.dashboard import pictures
from seedbed.dashboard.pictures import Pictures, kind_of

from .client import Client
from .fake_api import FakeApi

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 10


def test_a_picture_is_fetched_by_its_marked_link(api: FakeApi, client: Client) -> None:
    api.files["a b.png"] = PNG
    answer = client.get(client.pictures.link(api.link("a%20b.png")) or "")
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")


def test_no_other_address_is_fetched(api: FakeApi, client: Client) -> None:
    api.files["a.png"] = api.files["b.png"] = PNG
    link = client.pictures.link(api.link("a.png")) or ""
    assert client.get(link.replace("a.png", "b.png")).status == 403
    assert client.get(f"/picture?url={api.link('a.png')}").status == 403
    assert client.get(f"/picture?url={api.link('a.png')}&mark=\u00e9".encode().decode("latin-1")).status == 403


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", "file:///etc/passwd", "//evil.example/a.png"])
def test_what_is_no_address_of_the_web_has_no_link(url: str | None) -> None:
    assert Pictures().link(url) is None


@pytest.mark.parametrize("content", [b"<html><script>alert(1)</script>", b"<svg onload='alert(1)'/>", b"", b"%PDF-1.7"])
def test_what_is_no_picture_is_not_passed_on(api: FakeApi, client: Client, content: bytes) -> None:
    api.files["a.png"] = content
    answer = client.get(client.pictures.link(api.link("a.png")) or "")
    assert (answer.status, answer.text) == (415, pictures.NOT_SHOWN)


def test_a_picture_that_is_gone_is_a_sentence(api: FakeApi, client: Client) -> None:
    answer = client.get(client.pictures.link(api.link("a.png")) or "")
    assert (answer.status, answer.text) == (404, pictures.GONE)


def test_a_picture_that_is_too_large_is_not_read_to_its_end(
    api: FakeApi, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 10)
    api.files["a.png"] = PNG
    assert client.get(client.pictures.link(api.link("a.png")) or "").status == 404


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"BM00", "image/bmp"),
        (b"RIFF0000WEBP", "image/webp"),
        (b"0000ftypavif", "image/avif"),
        (b"II*\x00", ""),
    ],
)
def test_pictures_are_known_by_how_they_begin(start: bytes, kind: str) -> None:
    assert kind_of(start) == kind
