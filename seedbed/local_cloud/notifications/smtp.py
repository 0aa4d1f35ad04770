"""Sends e-mail by SMTP, encrypted and to a server with a valid certificate, unless it is on this machine.

A password is never sent unencrypted, not even to this machine.
"""

import contextlib
import ipaddress
import os
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

VARIABLE = "SEEDBED_SMTP_URL"
ESCAPES = "in a password write / as %2F, # as %23 and ? as %3F"
FORM = "smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the start; USER:PASSWORD@ and :PORT may be left out"
TIMEOUT = 20
TEXT_LENGTH = 200
SILENT = "did not answer in time"
NO_STARTTLS = (
    "offers no encryption (STARTTLS), so nothing was sent to it; write smtps:// if it has TLS from the start, "
    "or choose another server"
)


class InvalidServer(ValueError):
    """SEEDBED_SMTP_URL is malformed. The text is one sentence, without the password."""


class NotSent(Exception):
    """A message was not sent. The text is one sentence, without the password."""


@dataclass(frozen=True)
class SmtpServer:
    """A mail server. `tls`: encrypted from the start rather than by STARTTLS. `port`: 0 for the default."""

    host: str
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False


def configured_server() -> SmtpServer | None:
    """The server in SEEDBED_SMTP_URL; None if it is unset or empty. Raises InvalidServer."""
    url = os.environ.get(VARIABLE, "").strip()
    return read_server(url) if url else None


def take_configured_server() -> SmtpServer | None:
    """Return the server in SEEDBED_SMTP_URL, and unset the variable: no child process gets the password."""
    server = configured_server()
    os.environ.pop(VARIABLE, None)
    return server


def read_server(url: str) -> SmtpServer:
    """Parse smtp://[user:password@]host[:port], or smtps://. Raises InvalidServer."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port or 0
    except ValueError:  # its text may quote the password
        raise InvalidServer(f"{VARIABLE} can't be read. It is {FORM}; {ESCAPES}.") from None
    wrong = fault_of(parts, host)
    if wrong:
        raise InvalidServer(f"{VARIABLE} {wrong}. It is {FORM}.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii() or not (user + password).isprintable():
        raise InvalidServer(f"{VARIABLE} can have a user and password of printable ASCII characters only.")
    return SmtpServer(host=host, port=port, user=user, password=password, tls=parts.scheme == "smtps")


def fault_of(parts: SplitResult, host: str) -> str:
    """What is wrong with a URL, as the end of a sentence that begins with the variable; empty if nothing is."""
    if parts.scheme not in ("smtp", "smtps"):
        return "begins with neither smtp:// nor smtps://"
    if not host:
        return "names no host"
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return f"has something after the host ({ESCAPES})"
    if bool(parts.username) != bool(parts.password):
        return "needs both a user and a password, or neither"
    return ""


def send(message: EmailMessage, server: SmtpServer, timeout: float = TIMEOUT) -> None:
    """Send a message. `timeout` is for each answer of the server, in seconds. Raises NotSent."""
    with refused_in_a_sentence(server):
        smtp = connect(server, timeout)
        try:
            if not server.tls and (server.user or not stays_here(smtp)):
                smtp.starttls(context=ssl.create_default_context())
            if server.user:
                log_in(smtp, server)
            smtp.send_message(message)
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()  # the server has accepted the message already
        finally:
            smtp.close()


def connect(server: SmtpServer, timeout: float) -> smtplib.SMTP:
    """A connection after EHLO, so that the server's extensions are known."""
    if server.tls:
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=timeout)
    try:
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def stays_here(smtp: smtplib.SMTP) -> bool:
    """Whether the server is on this machine, where a relay often has no valid certificate."""
    assert smtp.sock
    return ipaddress.ip_address(smtp.sock.getpeername()[0]).is_loopback


def log_in(smtp: smtplib.SMTP, server: SmtpServer) -> None:
    """Log in. Raises NotSent, without the server's answer, which could repeat the password."""
    smtp.ehlo_or_helo_if_needed()
    if not smtp.has_extn("auth"):
        raise NotSent(f"{server.host} takes no user and password; leave them out of {VARIABLE} if it needs none")
    try:
        smtp.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent(f"{server.host} refused the user or the password ({error.smtp_code})") from None
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"{server.host} could not check the user and password ({error.smtp_code})") from None
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException:
        raise NotSent(f"{server.host} offers no login method that is supported here") from None


@contextlib.contextmanager
def refused_in_a_sentence(server: SmtpServer) -> Iterator[None]:
    """Turns the errors of a server or the network into NotSent."""
    try:
        yield
    except smtplib.SMTPException as error:
        raise NotSent(f"{server.host} {failure(error, server)}") from None
    except ssl.SSLCertVerificationError as error:
        raise NotSent(
            f"the certificate of {server.host} is not valid ({error.verify_message.rstrip('.')}); "
            f"if an authority of your own signed it, name its file in SSL_CERT_FILE"
        ) from None
    except ssl.SSLError as error:
        hint = "; write smtp:// if its TLS begins with STARTTLS" if server.tls else ""
        raise NotSent(f"{server.host} does not speak TLS as it should ({error.reason or 'no reason'}){hint}") from None
    except TimeoutError:
        raise NotSent(f"{server.host} {SILENT}") from None
    except OSError as error:
        raise NotSent(f"{server.host} can't be reached ({error.strerror or 'no reason given'})") from None


def failure(error: smtplib.SMTPException, server: SmtpServer) -> str:
    """What went wrong, as the end of a sentence that begins with the server's name."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"refused the recipient: {answer(*next(iter(error.recipients.values())), server)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered {answer(error.smtp_code, error.smtp_error, server)}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return SILENT if isinstance(error.__context__, TimeoutError) else "closed the connection"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NO_STARTTLS if "STARTTLS" in str(error) else f"can't take an address like this ({error})"
    return "does not speak SMTP as it should"


def answer(code: int, text: bytes | str, server: SmtpServer) -> str:
    """A server's answer on one line; only its code if the text repeats the password in any form it was sent in."""
    answered = text.decode(errors="replace") if isinstance(text, bytes) else text
    plain = f"\0{server.user}\0{server.password}"
    secrets = {server.password, *(b64encode(secret.encode()).decode() for secret in (server.password, plain))}
    if server.password and any(secret in answered for secret in secrets):
        return str(code)
    line = "".join(character if character.isprintable() else " " for character in answered)
    return f"{code} {line[:TEXT_LENGTH]}".strip()
