"""A mail server for the tests, with TLS, AUTH, and certificates of its own authority; it can misbehave in each."""

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from seedbed.local_cloud.process import free_port
from tests.waiting import PATIENCE

USER, PASSWORD = "seed@bed", "corn/cockle #1"
DAY = datetime.timedelta(days=1)
USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass
class Authority:
    """Signs certificates. `file` is for SSL_CERT_FILE."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of the tests")])
        builder = self._builder(self.name, self.key)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(x509.KeyUsage(**{use: use == "key_cert_sign" for use in USES}), critical=True)
        self.file = self.folder / "authority.pem"
        self.file.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def server_context(self, host: str = "127.0.0.1", *, expired: bool = False) -> ssl.SSLContext:
        """The TLS context of a server with this name or address."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        builder = self._builder(subject, key, age=9 * DAY if expired else DAY)
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        path = self.folder / f"{host}{'-expired' if expired else ''}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM) + secret)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, age: datetime.timedelta = DAY
    ) -> x509.CertificateBuilder:
        """A certificate, valid for a week that began `age` ago."""
        begin = datetime.datetime.now(datetime.UTC) - age
        builder = x509.CertificateBuilder(self.name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(begin).not_valid_after(begin + 7 * DAY)
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(own, critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return builder.add_extension(signer, critical=False)


@dataclass
class MailServer:
    """Accepts every message. `logins` and `messages` record of each whether it was encrypted.

    `withheld` is an extension that EHLO does not list, and `recipient` the answer to every recipient.
    """

    port: int
    withheld: str = ""
    recipient: str = "250 OK"
    logins: list[tuple[bool, str, str]] = field(default_factory=list)
    messages: list[tuple[bool, str]] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [line for line in responses if not self.withheld or self.withheld not in line]

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        self.messages.append((is_encrypted(server), envelope.content.decode()))
        return "250 OK"

    def check(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        login, password = data.login.decode(), data.password.decode()
        self.logins.append((is_encrypted(server), login, password))
        return AuthResult(success=(login, password) == (USER, PASSWORD), handled=False)


def is_encrypted(server: Any) -> bool:
    return server.transport.get_extra_info("ssl_object") is not None


class RefusesTLS(SMTP):
    """Offers STARTTLS, then refuses it."""

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802  aiosmtpd's name
        await self.push("454 TLS not available")


class PretendsTLS(SMTP):
    """Agrees to STARTTLS and continues unencrypted."""

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802  aiosmtpd's name
        await self.push("220 Ready to start TLS")
        await self.push("250 or rather not")


class Quotes(SMTP):
    """Offers AUTH, and repeats the password in its answer."""

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802  aiosmtpd's name
        await self.push(f"535 I don't like {arg} {PASSWORD}")


class Controlled(Controller):
    """A mail server in a thread."""

    def __init__(self, mail: MailServer, kind: type[SMTP], **options: Any) -> None:
        self._mail, self._kind, self._options = mail, kind, options
        super().__init__(
            mail, hostname="127.0.0.1", port=mail.port, ssl_context=options.pop("tls", None), ready_timeout=PATIENCE
        )

    def factory(self) -> SMTP:
        return self._kind(self._mail, hostname="127.0.0.1", authenticator=self._mail.check, **self._options)


@contextmanager
def mail_server(kind: type[SMTP] = SMTP, withheld: str = "", **options: Any) -> Iterator[MailServer]:
    """Serve while the block runs. options: `tls` from the start, or aiosmtpd's, as `tls_context` for STARTTLS."""
    mail = MailServer(free_port(), withheld)
    controller = Controlled(mail, kind, **options)
    controller.start()
    try:
        yield mail
    finally:
        controller.stop()
