"""E-mail on a laptop is always kept, and sent if a server is configured."""

from email.message import Message
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from seedbed.local_cloud.notifications.kept import kept
from seedbed.local_cloud.notifications.mail import Mailer
from seedbed.local_cloud.notifications.smtp import SmtpServer
from seedbed.local_cloud.process import free_port
from tests.waiting import PATIENCE


@pytest.fixture
def mailer(tmp_path: Path) -> Mailer:
    return Mailer(tmp_path / "mail")


def text_of(message: Message) -> str:
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    return body.decode()


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


def test_text_that_no_encoding_has_is_delivered(mailer: Mailer, tmp_path: Path) -> None:
    mailer.deliver("you@localhost\x1b", "done\ud800", "body \ud800\n")

    [message] = kept(tmp_path / "mail")
    assert text_of(message) == "body ?\n"
    assert message["Subject"] == "done?"
