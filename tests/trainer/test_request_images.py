"""What people and programs send to a served model: base64 in every form, files of any type, and other things."""

import base64
import json
import sys
import textwrap
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from trainer.answering.request_images import MAX_IMAGES, images_in
from trainer.errors import RequestRefused

JSON = "application/json"
ANY_TYPE = ["", "application/octet-stream", "binary/octet-stream", "application/x-image", "text/plain"]
CURLS = "application/x-www-form-urlencoded"
# All 256 bytes, so that both alphabets' own characters occur; its length needs padding.
FILE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"!"
OTHER = b"\xff\xd8\xff\xe0\x00" + bytes(range(100))
TEXT = base64.b64encode(FILE).decode()
WRAPPED = textwrap.fill(TEXT, 76)


@pytest.fixture(autouse=True)
def recursion_limit() -> Iterator[None]:
    """As in a server: Hypothesis raises it for the tests after it."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


def refusal(media_type: str, body: bytes) -> tuple[int, str]:
    with pytest.raises(RequestRefused) as refused:
        images_in(media_type, body)
    return refused.value.status, str(refused.value)


WAYS = {
    "one line": TEXT,
    "lines": WRAPPED,
    "lines of Windows": WRAPPED.replace("\n", "\r\n") + "\r\n",
    "lines escaped twice": WRAPPED.replace("\n", "\\n"),
    "blanks": f"  {WRAPPED.replace(chr(10), ' ')}\t",
    "no-break space": f"\u00a0{TEXT}\ufeff",
    "web-safe": base64.urlsafe_b64encode(FILE).decode(),
    "without padding": TEXT.rstrip("="),
    "web-safe without padding": base64.urlsafe_b64encode(FILE).decode().rstrip("="),
    "escaped for a form": quote(TEXT, safe=""),
    "data address": f"data:image/png;base64,{TEXT}",
    "data address with parameters": f"DATA:Image/PNG;name=a.png;charset=utf-8;BASE64, {WRAPPED}",
    "data address without type": f"data:;base64,{TEXT}",
    "bytes as Python prints them": f"b'{TEXT}'",
    "in quotes": f'"{TEXT}"',
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_base64_is_read_as_people_send_it(text: str) -> None:
    assert images_in(JSON, json.dumps({"images": [text, TEXT]}).encode()) == [FILE, FILE]
    for media_type in ("image/png", *ANY_TYPE, CURLS):
        assert images_in(media_type, text.encode()) == [FILE]


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        [TEXT],
        {"images": TEXT},
        {"image": TEXT},
        {"image": {"b64": TEXT}},
        {"image_bytes": {"b64": TEXT}},
        {"inputs": TEXT},
        {"inputs": [TEXT]},
        {"inputs": {"image": TEXT}, "parameters": {"top_k": 3}},
        {"instances": [{"b64": TEXT}]},
        {"instances": [{"image_bytes": {"b64": TEXT}, "key": "1"}]},
        {"signature_name": "serve", "instances": [[TEXT]]},
        {"data": TEXT},
    ],
)
@pytest.mark.parametrize("media_type", [JSON, "text/json", "application/vnd.api+json"])
def test_json_is_read_in_the_forms_of_other_servers(content: object, media_type: str) -> None:
    assert images_in(media_type, json.dumps(content).encode()) == [FILE]
    assert images_in(media_type, b"\xef\xbb\xbf" + json.dumps(content, indent=2).encode()) == [FILE]


@pytest.mark.parametrize("media_type", [*ANY_TYPE, CURLS])
def test_json_is_recognised_without_its_type(media_type: str) -> None:
    content = {"instances": [{"b64": TEXT}, {"b64": base64.b64encode(OTHER).decode()}]}
    assert images_in(media_type, json.dumps(content).encode()) == [FILE, OTHER]


@pytest.mark.parametrize("media_type", ["image/png", "image/*", "image/x-anything", JSON, *ANY_TYPE, CURLS])
@pytest.mark.parametrize("file", [FILE, OTHER])
def test_a_file_is_read_whatever_type_it_is_sent_as(media_type: str, file: bytes) -> None:
    assert images_in(media_type, file) == [file]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("%%%", "it is not text in base64"),
        ("weeds!", "it is not text in base64"),
        ("ä", "it is not text in base64"),
        ("AA=AA", "it is not text in base64"),
        (TEXT.rstrip("=")[:-1], "it is cut off: its base64 has a character too few or too many"),
        ("data:image/svg+xml,<svg/>", "it is a data: address that isn't in base64"),
        ("https://example.org/a.png", "it is an address, from which nothing is fetched: send the file itself"),
        ("s3://bucket/seedlings/Maize/a.png", "it is an address"),
        ("file:///home/a.png", "it is an address"),
    ],
)
def test_text_that_is_not_base64_is_refused_in_a_sentence(text: str, reason: str) -> None:
    status, sentence = refusal(JSON, json.dumps({"images": [TEXT, text]}).encode())
    assert (status, sentence.startswith(f"Image 2 of 2 can't be used: {reason}")) == (400, True), sentence
    status, sentence = refusal("text/plain", text.encode())
    assert (status, sentence.startswith(f"The image can't be used: {reason}")) == (400, True), sentence


@pytest.mark.parametrize(
    ("media_type", "body", "status", "reason"),
    [
        ("image/jpeg", b"https://example.org/a.png", 400, "it is an address"),
        (CURLS, FILE.replace(b"\n", b"").replace(b"\r", b"").replace(b"\0", b""), 400, "--data-binary instead of"),
        ("image/jpeg", OTHER.replace(b"\n", b"").replace(b"\r", b"").replace(b"\0", b""), 400, "its line breaks are"),
        ("multipart/form-data", b"--x", 400, "The form can't be read: send the file itself as the body"),
        ("application/zip", b"PK", 415, "'application/zip' is not supported"),
        (JSON, b"\xff\xfe\xff", 400, "can't be read as JSON: it is not text in UTF-8."),
        (JSON, b"{'images': []}", 400, "can't be read as JSON: there is a mistake in line 1 at character 2."),
        (JSON, b'{"images": [' + b"7" * 5000 + b"]}", 400, "it has a number that is too long"),
        (JSON, b"[" * 9000 + b"]" * 9000, 400, "nested too deeply"),
        (JSON, b'{"images": [[[[[[[["AAAA"]]]]]]]]}', 400, 'The body must be {"images"'),
        (JSON, b'{"plants": ["AAAA"]}', 400, 'The body must be {"images"'),
        (JSON, b'{"instances": []}', 400, "with at least one image"),
        (JSON, b'{"instances": [[0.1, 0.2]]}', 400, "Image 1 of 2 can't be used: it is not text in base64."),
        (JSON, b'{"instances": [' + b"0,".ljust(2) * 20_000 + b"0]}", 400, "Send each image as its file in base64"),
        (JSON, json.dumps(["AAAA"] * (MAX_IMAGES + 1)).encode(), 400, f"at most {MAX_IMAGES}"),
    ],
)
def test_another_body_is_refused_in_a_sentence(media_type: str, body: bytes, status: int, reason: str) -> None:
    found, sentence = refusal(media_type, body)
    assert (found, reason in sentence) == (status, True), sentence
    assert "codec" not in sentence


@pytest.mark.parametrize("media_type", [JSON, "image/png", *ANY_TYPE])
def test_an_empty_body_is_an_empty_image(media_type: str) -> None:
    assert images_in(media_type, b"") == [b""]


def form(*parts: bytes, boundary: bytes = b"x") -> bytes:
    """A form as curl and browsers write it."""
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


A_FILE = b'Content-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
A_FIELD = b'Content-Disposition: form-data; name="comment"\r\n\r\n'


@pytest.mark.parametrize(
    "boundary", ["x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "------------------------d74496d66958873e"]
)
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary={}", 'Multipart/Form-Data; charset=x; boundary="{}"'])
def test_the_files_of_a_form_are_read(kind: str, boundary: str) -> None:
    body = form(A_FILE + FILE, A_FIELD + b"hello", A_FILE + b"\r\n" + OTHER + b"\r\n", boundary=boundary.encode())

    assert images_in(kind.format(boundary), body) == [FILE, b"\r\n" + OTHER + b"\r\n"]


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("multipart/form-data", form(A_FILE + FILE), "The form can't be read"),
        ("multipart/form-data; boundary=y", form(A_FILE + FILE), "The form can't be read"),
        ("multipart/form-data; boundary=x", form(A_FILE + FILE)[:-9], "The form can't be read"),
        ("multipart/form-data; boundary=x", b"", "The form can't be read"),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 2000, "The form can't be read"),
        ("multipart/form-data; boundary=x", form(A_FIELD + FILE), "The form holds no file"),
        ("multipart/form-data; boundary=x", form(*[A_FILE + FILE] * (MAX_IMAGES + 1)), f"at most {MAX_IMAGES}"),
    ],
)
def test_another_form_is_refused_in_a_sentence(kind: str, body: bytes, reason: str) -> None:
    status, sentence = refusal(kind, body)
    assert (status, reason in sentence) == (400, True), sentence
