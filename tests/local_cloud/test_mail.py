"""E-mail on a laptop is always kept, and sent if a server is configured."""

import json
from email.message import Message
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from seedbed.local_cloud.notifications.kept import kept, text_of
from seedbed.local_cloud.notifications.mail import Mailer
from seedbed.local_cloud.notifications.notification import read
from seedbed.local_cloud.notifications.smtp import SmtpServer
from seedbed.local_cloud.process import free_port
from tests.waiting import PATIENCE


@pytest.fixture
def mailer(tmp_path: Path) -> Mailer:
    return Mailer(tmp_path / "mail")


def test_a_message_is_kept_in_the_maildir(mailer: Mailer, tmp_path: Path) -> None:
    mailer.deliver("you@localhost", "Seedbed: done", "Ein Modell für Möhren\n")
    [message] = kept(tmp_path / "mail")
    assert message["To"] == "you@localhost"
    assert message["Subject"] == "Seedbed: done"
    assert text_of(message) == "Ein Modell für Möhren\n"


def test_a_maildir_being_created_has_no_messages(tmp_path: Path) -> None:
    assert kept(tmp_path / "mail") == []
    (tmp_path / "mail" / "new").mkdir(parents=True)
    assert kept(tmp_path / "mail") == []


def test_a_subject_can_not_inject_another_header(mailer: Mailer, tmp_path: Path) -> None:
    mailer.deliver("you@localhost", "done\nBcc: everybody@example.com", "body")
    [message] = kept(tmp_path / "mail")
    assert message["Bcc"] is None
    assert message["Subject"] == "done?Bcc: everybody@example.com"


def test_a_message_is_sent_to_the_configured_server(tmp_path: Path) -> None:
    port = free_port()
    mailer = Mailer(tmp_path / "mail", SmtpServer("127.0.0.1", port))
    server = Controller(Mailbox(tmp_path / "received"), hostname="127.0.0.1", port=port, ready_timeout=PATIENCE)
    server.start()
    try:
        mailer.deliver("you@localhost", "Seedbed: done", "body")
        mailer.close()
    finally:
        server.stop()
    [message] = kept(tmp_path / "received")
    assert message["Subject"] == "Seedbed: done"


def test_a_message_is_kept_though_the_server_is_down(tmp_path: Path) -> None:
    mailer = Mailer(tmp_path / "mail", SmtpServer("127.0.0.1", free_port()))
    mailer.deliver("you@localhost", "Seedbed: done", "body")
    mailer.close()
    assert len(kept(tmp_path / "mail")) == 1


def test_a_long_line_reaches_the_reader_whole(mailer: Mailer, tmp_path: Path) -> None:
    body = f"Möhren {'x' * 2000}=\n.\nFrom here on\n{'wort ' * 300}\n"

    mailer.deliver("you@localhost", "done", body)

    [message] = kept(tmp_path / "mail")
    assert text_of(message) == body
    assert message["Content-Transfer-Encoding"] == "quoted-printable"
    assert max(map(len, message.as_bytes().splitlines())) <= 78


def test_an_address_in_the_bucket_becomes_the_file_on_this_disk(mailer: Mailer, tmp_path: Path) -> None:
    file = tmp_path / "s3/000000000000/seedbed-1/runs/sb-1/evaluation/report.html"

    mailer.deliver("you@localhost", "done", "Report:\ns3://seedbed-1/runs/sb-1/evaluation/report.html\nsee s3://x\n")

    [message] = kept(tmp_path / "mail")
    assert text_of(message) == f"Report:\n{file.as_uri()}\nsee s3://x\n"


def a_notification(label: str = "Maize") -> str:
    """A notification as the stack writes it, about a run whose label is this."""
    return json.dumps(
        {
            "kind": "finished",
            "outcome": "new_best",
            "run_id": "sb-0123456789abcdef-1",
            "subject": "Seedbed: a new best model",
            "summary": [f"A new best model knows {label}."],
            "scores": {"test_images": 103, "accuracy": 0.9515, "accuracy_interval": [0.89, 0.98], "difference": 0.019},
            "sections": [
                {"title": "Labels", "lines": [{"form": "fact", "text": "3 of 4", "name": label}]},
                {
                    "title": "Next",
                    "lines": [
                        {
                            "form": "command",
                            "text": "seedbed report sb-0123456789abcdef-1 --open --aws seedbed",
                            "arguments": ["report", "sb-0123456789abcdef-1", "--open"],
                        }
                    ],
                },
            ],
        }
    )


def put_files(home: Path, label: str = "Maize", report: bytes = b"<p>the report</p>") -> None:
    """The files of that run, as the local cloud keeps them."""
    run = home / "s3/000000000000/seedbed-1/runs/sb-0123456789abcdef-1"
    for folder in ("pack", "evaluation"):
        (run / folder).mkdir(parents=True)
    (run / "pack/mosaic.jpg").write_bytes(b"a picture")
    (run / "evaluation/report.html").write_bytes(report)
    evaluation = {"labels": [label, "Charlock"], "confusion": [[3, 1], [0, 4]]}
    (run / "evaluation/evaluation.json").write_text(json.dumps(evaluation))


def delivered(mailer: Mailer, home: Path, label: str = "Maize") -> Message:
    """The message that the mailer keeps of such a notification."""
    text = "A new best model.\n\n    seedbed report sb-0123456789abcdef-1 --open --aws seedbed\n"
    mailer.deliver("you@localhost", "done", text, read(a_notification(label)))
    (message,) = kept(home / "mail")
    found: Message = message
    return found


def part(message: Message, kind: str, number: int = 0) -> str:
    """One of the parts of a type, as text."""
    found = [part for part in message.walk() if part.get_content_type() == kind][number]
    body = found.get_payload(decode=True)
    assert isinstance(body, bytes)
    return body.decode()


def test_a_notification_is_text_and_html_with_picture_and_report(mailer: Mailer, tmp_path: Path) -> None:
    put_files(tmp_path)

    message = delivered(mailer, tmp_path)

    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "image/jpeg", "text/html"]
    page = part(message, "text/html")
    for shown in ("New best model", "95.2%", "+1.9 points on the same images", "3 of 4", "cid:"):
        assert shown in page
    assert "background:#cfe8d6" in page  # a cell of the matrix
    assert part(message, "text/html", 1).strip() == "<p>the report</p>"


def test_commands_in_an_e_mail_are_for_this_home(mailer: Mailer, tmp_path: Path) -> None:
    message = delivered(mailer, tmp_path)

    here = f"SEEDBED_HOME={tmp_path} "
    for kind in ("text/plain", "text/html"):
        assert here in part(message, kind)
        assert "report sb-0123456789abcdef-1 --open" in part(message, kind)
        assert "--aws" not in part(message, kind)


def test_a_hostile_label_is_text_in_html(mailer: Mailer, tmp_path: Path) -> None:
    label = '<script>alert("1")</script><img src=x onerror=y>\x1b'
    put_files(tmp_path, label)

    page = part(delivered(mailer, tmp_path, label), "text/html")

    assert "<script" not in page
    assert "<img src=x" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page


def test_a_large_report_is_left_out(mailer: Mailer, tmp_path: Path) -> None:
    put_files(tmp_path, report=b"x" * 4_000_000)

    message = delivered(mailer, tmp_path)

    assert len(message.as_bytes()) < 5_000_000
    assert [part.get_content_type() for part in message.walk()].count("text/html") == 1


@pytest.mark.parametrize("content", [None, 7, "", "{}", "[]", a_notification().replace("sb-0", "../sb-0")])
def test_what_is_no_notification_is_text_alone(content: object) -> None:
    assert read(content) is None


def test_text_that_no_encoding_has_is_delivered(mailer: Mailer, tmp_path: Path) -> None:
    mailer.deliver("you@localhost\x1b", "done\ud800", "body \ud800\n")

    [message] = kept(tmp_path / "mail")
    assert text_of(message) == "body ?\n"
    assert message["Subject"] == "done?"
