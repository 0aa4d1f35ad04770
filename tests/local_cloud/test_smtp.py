"""No password, and to other machines no message, is sent without TLS and a valid certificate."""

import logging
import os
import re
import socket
import threading
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from seedbed.errors import SeedbedError
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.notifications import smtp
from seedbed.local_cloud.notifications.kept import kept
from seedbed.local_cloud.notifications.mail import Mailer
from seedbed.local_cloud.notifications.smtp import (
    InvalidServer,
    NotSent,
    SmtpServer,
    read_server,
    send,
    take_configured_server,
)
from seedbed.local_cloud.process import free_port, local_cloud
from tests.waiting import PATIENCE

from .mail_server import PASSWORD, USER, Authority, MailServer, PretendsTLS, Quotes, RefusesTLS, mail_server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the tests' server count as one on another machine."""
    monkeypatch.setattr(smtp, "stays_here", lambda _: False)


def server_at(port: int, **changes: object) -> SmtpServer:
    return SmtpServer(**{"host": "127.0.0.1", "port": port, "user": USER, "password": PASSWORD, **changes})  # type: ignore[arg-type]


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "seedbed@localhost", "you@localhost", "done"
    made.set_content("the body\n")
    return made


def why_not(server: SmtpServer, timeout: float = PATIENCE) -> str:
    """Why sending fails."""
    with pytest.raises(NotSent) as failure:
        send(message(), server, timeout)
    assert PASSWORD not in str(failure.value)
    assert "\n" not in str(failure.value)
    return str(failure.value)


def assert_untouched(mail: MailServer) -> None:
    assert (mail.logins, mail.messages) == ([], [])


def test_password_and_message_go_through_starttls(trusted: Authority) -> None:
    with mail_server(tls_context=trusted.server_context()) as mail:
        send(message(), server_at(mail.port))
    assert mail.logins == [(True, USER, PASSWORD)]
    assert [(encrypted, "the body" in text) for encrypted, text in mail.messages] == [(True, True)]


def test_smtps_encrypts_from_the_start(trusted: Authority) -> None:
    with mail_server(tls=trusted.server_context(), auth_require_tls=False) as mail:
        send(message(), server_at(mail.port, tls=True))
    assert mail.logins == [(True, USER, PASSWORD)]
    assert len(mail.messages) == 1


def test_no_password_goes_to_a_server_without_tls() -> None:
    with mail_server(auth_require_tls=False) as mail:
        assert "offers no encryption (STARTTLS), so nothing was sent to it" in why_not(server_at(mail.port))
    assert_untouched(mail)


def test_no_password_goes_out_when_starttls_is_stripped(trusted: Authority) -> None:
    options: dict[str, Any] = {"tls_context": trusted.server_context(), "auth_require_tls": False}
    with mail_server(withheld="STARTTLS", **options) as mail:
        assert "offers no encryption" in why_not(server_at(mail.port))
    assert_untouched(mail)


@pytest.mark.parametrize(
    ("kind", "sentence"), [(RefusesTLS, "answered 454"), (PretendsTLS, "does not speak TLS as it should")]
)
def test_no_password_goes_to_a_server_that_lies_about_tls(kind: type[SMTP], sentence: str, trusted: Authority) -> None:
    with mail_server(kind, tls_context=trusted.server_context(), auth_require_tls=False) as mail:
        assert sentence in why_not(server_at(mail.port))
    assert_untouched(mail)


@pytest.mark.parametrize("from_the_start", [True, False])
@pytest.mark.parametrize(
    ("host", "expired", "sentence"),
    [
        ("mail.example.com", False, "IP address mismatch"),
        ("127.0.0.1", True, "certificate has expired"),
    ],
)
def test_an_invalid_certificate_is_refused(
    host: str, expired: bool, sentence: str, from_the_start: bool, trusted: Authority
) -> None:
    context = trusted.server_context(host, expired=expired)
    options: dict[str, Any] = {"tls": context} if from_the_start else {"tls_context": context}
    with mail_server(auth_require_tls=False, **options) as mail:
        assert sentence in why_not(server_at(mail.port, tls=from_the_start))
    assert_untouched(mail)


@pytest.mark.parametrize("from_the_start", [True, False])
def test_an_unknown_authority_is_refused_with_advice(from_the_start: bool, authority: Authority) -> None:
    context = authority.server_context()
    options: dict[str, Any] = {"tls": context} if from_the_start else {"tls_context": context}
    with mail_server(auth_require_tls=False, **options) as mail:
        assert "name its file in SSL_CERT_FILE" in why_not(server_at(mail.port, tls=from_the_start))
    assert_untouched(mail)


def test_a_relay_on_this_machine_needs_no_tls() -> None:
    with mail_server(auth_require_tls=False) as mail:
        send(message(), server_at(mail.port, user="", password=""))
    assert [encrypted for encrypted, _ in mail.messages] == [False]


def test_a_remote_relay_gets_nothing_without_tls(far_away: None) -> None:
    with mail_server() as mail:
        assert "offers no encryption" in why_not(server_at(mail.port, user="", password=""))
    assert_untouched(mail)


def test_a_remote_relay_is_used_over_tls(far_away: None, trusted: Authority) -> None:
    with mail_server(tls_context=trusted.server_context()) as mail:
        send(message(), server_at(mail.port, user="", password=""))
    assert [encrypted for encrypted, _ in mail.messages] == [True]


def test_a_server_without_auth_is_reported(trusted: Authority) -> None:
    with mail_server(tls_context=trusted.server_context(), withheld="AUTH") as mail:
        assert "takes no user and password" in why_not(server_at(mail.port))
    assert_untouched(mail)


def test_a_refused_password_is_reported_but_not_shown(trusted: Authority) -> None:
    with mail_server(tls_context=trusted.server_context()) as mail:
        wrong = server_at(mail.port, user="somebody")
        assert why_not(wrong) == "127.0.0.1 refused the user or the password (535)"
    assert mail.messages == []


def test_a_server_that_repeats_the_password_is_not_quoted(trusted: Authority) -> None:
    with mail_server(Quotes, tls_context=trusted.server_context()) as mail:
        assert why_not(server_at(mail.port)) == "127.0.0.1 refused the user or the password (535)"
    with mail_server(tls_context=trusted.server_context()) as mail:
        mail.recipient = f"550 No {PASSWORD} here"
        assert why_not(server_at(mail.port)) == "127.0.0.1 refused the recipient: 550"
        mail.recipient = "550 Nobody of that name"
        assert why_not(server_at(mail.port)) == "127.0.0.1 refused the recipient: 550 Nobody of that name"


@pytest.mark.parametrize("tls", [True, False])
def test_a_server_that_hangs_times_out(tls: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sentence = why_not(server_at(silent.getsockname()[1], tls=tls), timeout=0.2)
    assert sentence == "127.0.0.1 did not answer in time"


def test_a_closed_connection_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as brief:
        threading.Thread(target=accept_and_close, args=(brief,)).start()
        assert why_not(server_at(brief.getsockname()[1])) == "127.0.0.1 closed the connection"


def accept_and_close(listening: socket.socket) -> None:
    listening.accept()[0].close()


def test_smtps_to_a_port_without_tls_is_refused_with_advice() -> None:
    with mail_server() as mail:
        assert "write smtp:// if its TLS begins with STARTTLS" in why_not(server_at(mail.port, tls=True))


def test_an_unreachable_server_is_reported() -> None:
    assert "can't be reached (Connection refused)" in why_not(server_at(free_port()))


def test_a_failure_is_logged_on_one_line_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with mail_server(auth_require_tls=False) as mail:
        url = f"smtp://seed%40bed:corn%2Fcockle%20%231@127.0.0.1:{mail.port}"
        monkeypatch.setenv("SEEDBED_SMTP_URL", url)
        with caplog.at_level(logging.WARNING):
            mailer = Mailer(tmp_path / "mail", take_configured_server())
            mailer.deliver("you@localhost", "done", "body")
            mailer.close()
    assert url not in os.environ.values()
    [record] = caplog.records
    assert re.fullmatch(
        r"The e-mail could not be sent \(it is kept in .*\): 127\.0\.0\.1 offers no [^\n]*\.", record.getMessage()
    )
    assert "cockle" not in caplog.text
    assert record.exc_info is None
    assert len(kept(tmp_path / "mail")) == 1


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", SmtpServer("localhost")),
        ("smtps://mail.example.com/", SmtpServer("mail.example.com", tls=True)),
        ("smtp://a%40b:p%2F%23%3A@[::1]:587", SmtpServer("::1", 587, "a@b", "p/#:")),
    ],
)
def test_a_url_names_host_port_user_and_password(url: str, server: SmtpServer) -> None:
    assert read_server(url) == server
    assert server.password not in repr(server) or not server.password


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://user:se/cret@host",
        "smtp://user:se#cret@host",
        "smtp://user:secret@host?x=1",
        "smtp://user:secret@host:99999",
        "smtp://user:secret@host:port",
        "smtp://user:secret@[host",
        "smtp://user:secret@" + "h" * 64 + ".example.com",
        "smtp://user:secret@",
        "smtp://secret@host",
        "smtp://:secret@host",
        "smtp://user:secr%C3%A9t@host",
        "smtp://user:secret%00@host",
    ],
)
def test_a_malformed_url_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(InvalidServer, match=r"^SEEDBED_SMTP_URL [^\n]*\.$") as refused:
        read_server(url)
    assert "cret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_cloud_with_a_malformed_url_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBED_SMTP_URL", "smtp://user:se/cret@host")
    home = Home(tmp_path / "seedbed")
    with pytest.raises(SeedbedError, match=r"^SEEDBED_SMTP_URL ") as refused, local_cloud(home):
        pytest.fail("it started")
    assert "cret" not in str(refused.value)
    assert not home.path.exists()
