"""Keeps what SNS would e-mail in a Maildir, and sends it by SMTP if a server is configured."""

import json
import logging
import mailbox
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from ministack.services import sns

from ...terminal.text import printable
from .notification import Notification, on_this_machine, read
from .run_files import files_of
from .smtp import NotSent, SmtpServer, send

SENDER = "Seedbed <seedbed@localhost>"

logger = logging.getLogger(__name__)


class Mailer:
    """Delivers messages that topics publish to e-mail addresses, and the local cloud's own notifications.

    Without a server, messages are only kept. Notifications go to the subscribers of `topic`, if it is set.
    """

    def __init__(self, maildir: Path, server: SmtpServer | None = None) -> None:
        self.topic = ""
        self._maildir = maildir
        self._server = server
        self._sending = ThreadPoolExecutor(1, thread_name_prefix="smtp")
        self._pending: list[EmailMessage] = []

    def close(self) -> None:
        """Wait until all messages have been sent."""
        self._sending.shutdown()

    def take_published(self) -> None:
        """From now on deliver what is published to e-mail addresses, which the emulator only logs.

        A message is on disk before its publisher gets an answer, so none is lost. If it can't be written, the publisher
        gets an error, and publishes again.
        """
        fan_out = sns._fanout

        def fan_out_and_mail(
            topic: str, message_id: str, message: str, subject: str, structure: str = "", *others: Any, **more: Any
        ) -> None:
            text = sns._resolve_message_for_protocol(message, structure, "email")
            for address in addresses_of(topic):
                self.deliver(address, subject or "Seedbed", text, read(in_json(message, structure)))
            fan_out(topic, message_id, message, subject, structure, *others, **more)

        sns._fanout = fan_out_and_mail

    def deliver(self, to: str, subject: str, body: str, notification: Notification | None = None) -> None:
        """Keep a message, then send it if there is a server. Raises OSError if it can't be kept.

        Of a `notification` it is HTML, too, with the run's report and a picture of its images.
        """
        home = self._maildir.absolute().parent
        message = message_to(to, subject, on_this_machine(body, notification, home))
        if notification:
            add_page(message, notification, home)
        mailbox.Maildir(self._maildir).add(message)
        self._post(message)

    def notify(self, subject: str, body: str) -> None:
        """Send a notification of the local cloud itself, and keep it as soon as the disk has room."""
        for address in addresses_of(self.topic):
            message = message_to(address, subject, body)
            self._post(message)
            self._pending.append(message)
        self.keep_pending()

    def keep_pending(self) -> None:
        """Keep the notifications that could not be written so far, as far as the disk has room."""
        while self._pending:
            try:
                mailbox.Maildir(self._maildir).add(self._pending[0])
            except OSError as error:
                logger.warning("An e-mail can't be kept in %s yet: %s", self._maildir, error)
                return
            self._pending.pop(0)

    def _post(self, message: EmailMessage) -> None:
        if self._server:
            self._sending.submit(self._send, message, self._server)

    def _send(self, message: EmailMessage, server: SmtpServer) -> None:
        """Send a message; a failure is logged only."""
        try:
            send(message, server)
        except NotSent as error:
            logger.warning("The e-mail could not be sent (it is kept in %s): %s.", self._maildir, error)


def in_json(message: str, structure: str) -> object:
    """What a message has for those who subscribe by `email-json`; None if it has nothing of its own for them."""
    return json.loads(message).get("email-json") if structure == "json" else None


def add_page(message: EmailMessage, notification: Notification, home: Path) -> None:
    """Add the HTML beside the text, with the picture in it, and attach the report."""
    from .page import page_of  # noqa: PLC0415  `seedbed sagemaker` sends no e-mail, and has no Jinja2

    files, picture = files_of(home, notification.run_id), make_msgid(domain="localhost")
    page = page_of(notification, files, picture.strip("<>"))
    message.add_alternative(page.encode(errors="replace").decode(), subtype="html", cte="quoted-printable")
    if files.mosaic:
        parts: Any = message.get_payload()
        parts[1].add_related(files.mosaic, "image", "jpeg", cid=picture, filename="images.jpg")
    if files.report:
        message.add_attachment(files.report, "text", "html", filename="report.html")


def addresses_of(topic: str) -> list[str]:
    """The e-mail addresses subscribed to a topic."""
    found = sns._topic_by_arn_any_scope(topic) if topic else None
    subscriptions = found["subscriptions"] if found else []
    return [subscription["endpoint"] for subscription in subscriptions if subscription["protocol"] == "email"]


def message_to(to: str, subject: str, body: str) -> EmailMessage:
    """An e-mail from Seedbed."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, printable(to), printable(subject)
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="localhost")
    message.set_content(body.encode(errors="replace").decode(), cte="quoted-printable")  # breaks no line for a reader
    return message
