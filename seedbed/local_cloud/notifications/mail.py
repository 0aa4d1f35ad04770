"""E-mail on a laptop: what SNS would mail is kept in a Maildir, and sent by SMTP where a server is configured."""

import logging
import mailbox
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from ministack.services import sns

from .smtp import NotSent, SmtpServer, send

SENDER = "Seedbed <seedbed@localhost>"

logger = logging.getLogger(__name__)


class Mailer:
    """Delivers what topics publish to e-mail addresses, and what the local cloud itself has to tell.

    server: who sends it; where there is none, it is kept only. topic: whose subscribers hear of the cloud's own; nobody
    does while it is empty.
    """

    def __init__(self, maildir: Path, server: SmtpServer | None = None) -> None:
        self.topic = ""
        self._maildir = maildir
        self._server = server
        self._sending = ThreadPoolExecutor(1, thread_name_prefix="smtp")
        self._unstored: list[EmailMessage] = []

    def close(self) -> None:
        """Wait until what is being sent has been."""
        self._sending.shutdown()

    def take_published(self) -> None:
        """Deliver from now on what is published, where the emulator only logs an address.

        A message is on disk before its publisher hears that it was taken: who then dies has lost none. Where the disk
        does not take it, the publisher hears of an error, and publishes it again.
        """
        fan_out = sns._fanout

        def fan_out_and_mail(
            topic: str, message_id: str, message: str, subject: str, structure: str = "", *others: Any, **more: Any
        ) -> None:
            text = sns._resolve_message_for_protocol(message, structure, "email")
            for address in addresses_of(topic):
                self.deliver(address, subject or "Seedbed", text)
            fan_out(topic, message_id, message, subject, structure, *others, **more)

        sns._fanout = fan_out_and_mail

    def deliver(self, to: str, subject: str, body: str) -> None:
        """Keep a message, then send it if there is a server. Raises OSError where it can't be kept."""
        message = message_to(to, subject, body)
        mailbox.Maildir(self._maildir).add(message)
        self._post(message)

    def tell(self, subject: str, body: str) -> None:
        """Send a message of the local cloud's own, and keep it as soon as the disk takes it."""
        for address in addresses_of(self.topic):
            message = message_to(address, subject, body)
            self._post(message)
            self._unstored.append(message)
        self.store_pending()

    def store_pending(self) -> None:
        """Keep what the disk did not take so far; what it does not take now stays for the next call."""
        while self._unstored:
            try:
                mailbox.Maildir(self._maildir).add(self._unstored[0])
            except OSError as error:
                logger.warning("An e-mail can't be kept in %s yet: %s", self._maildir, error)
                return
            self._unstored.pop(0)

    def _post(self, message: EmailMessage) -> None:
        if self._server:
            self._sending.submit(self._send, message, self._server)

    def _send(self, message: EmailMessage, server: SmtpServer) -> None:
        """A server that fails costs the sending only."""
        try:
            send(message, server)
        except NotSent as error:
            logger.warning("The e-mail could not be sent (it is kept in %s): %s.", self._maildir, error)


def addresses_of(topic: str) -> list[str]:
    """The e-mail addresses that are subscribed to a topic."""
    found = sns._topic_by_arn_any_scope(topic) if topic else None
    subscriptions = found["subscriptions"] if found else []
    return [subscription["endpoint"] for subscription in subscriptions if subscription["protocol"] == "email"]


def message_to(to: str, subject: str, body: str) -> EmailMessage:
    """An e-mail of Seedbed's."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, one_line(to), one_line(subject)
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="localhost")
    message.set_content(body)
    return message


def one_line(text: str) -> str:
    """A header's value: nothing in it can begin another header."""
    return "".join(character if character.isprintable() else "?" for character in text)
