"""E-mail on a laptop: what SNS would mail is kept in a Maildir, and sent by SMTP where a server is configured."""

import asyncio
import json
import logging
import mailbox
import os
import smtplib
import urllib.request
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from .clients import local_client

PATH = "/_seedbed/mail"
SENDER = "Seedbed <seedbed@localhost>"
TIMEOUT = 20

logger = logging.getLogger(__name__)


class Mailer:
    """Receives a topic's notifications over HTTP and delivers each as a message."""

    def __init__(self, maildir: Path, endpoint: str) -> None:
        self._maildir = maildir
        self._endpoint = endpoint

    def subscribe(self, topic: str) -> None:
        """Deliver to every e-mail address that is subscribed to the topic."""
        sns = local_client("sns", self._endpoint)
        for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
            for subscription in page["Subscriptions"]:
                if subscription["Protocol"] == "email":
                    url = f"{self._endpoint}{PATH}?to={quote(subscription['Endpoint'])}"
                    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)

    async def receive(self, query: str, body: bytes) -> None:
        """Take one request of SNS: confirm a subscription, or deliver a notification."""
        notice = json.loads(body)
        if notice.get("Type") == "SubscriptionConfirmation":
            await asyncio.to_thread(self._confirm, notice["SubscribeURL"])
        elif notice.get("Type") == "Notification":
            to = parse_qs(query)["to"][0]
            await asyncio.to_thread(self.deliver, to, notice.get("Subject") or "Seedbed", notice["Message"])

    def deliver(self, to: str, subject: str, body: str) -> None:
        """Keep the message, then send it if there is a server; a server that fails costs the sending only."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = SENDER, one_line(to), one_line(subject)
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="localhost")
        message.set_content(body)
        mailbox.Maildir(self._maildir).add(message)
        server = os.environ.get("SEEDBED_SMTP_URL")
        if server:
            try:
                send(message, server)
            except (OSError, smtplib.SMTPException) as error:
                logger.warning("The e-mail could not be sent (it is kept in %s): %s", self._maildir, error)

    def _confirm(self, url: str) -> None:
        local = self._endpoint + "/?" + urlsplit(url).query
        with urllib.request.urlopen(local, timeout=TIMEOUT) as answer:  # noqa: S310
            answer.read()


def send(message: EmailMessage, server: str) -> None:
    """Send by SMTP; `server` is smtp://[user:password@]host[:port], or smtps:// for TLS from the start."""
    url = urlsplit(server)
    connect = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with connect(url.hostname or "localhost", url.port or 0, timeout=TIMEOUT) as smtp:
        if url.scheme == "smtp" and smtp.has_extn("starttls"):
            smtp.starttls()
        if url.username:
            smtp.login(unquote(url.username), unquote(url.password or ""))
        smtp.send_message(message)


def one_line(text: str) -> str:
    """A header's value: nothing in it can begin another header."""
    return "".join(character if character.isprintable() else "?" for character in text)


def kept(maildir: Path) -> list[Any]:
    """The messages kept so far, oldest first."""
    if not maildir.exists():
        return []
    folder = mailbox.Maildir(maildir, create=False)
    return [folder[key] for key in sorted(folder.keys(), key=lambda key: folder[key].get_date())]
