"""A notification as an e-mail of plain text: each fact is a line, so that it can be read in any font."""

from collections.abc import Iterator
from dataclasses import dataclass

from .notification import Form, Line, Notification


@dataclass(frozen=True)
class Message:
    """A subject of at most 99 printable ASCII characters, as SNS takes it, and a plain text body."""

    subject: str
    body: str


def message_of(notification: Notification) -> Message:
    """The e-mail that says what a notification says."""
    return Message(notification.subject, "\n".join(body(notification)) + "\n")


def body(notification: Notification) -> Iterator[str]:
    yield from notification.summary
    for section in notification.sections:
        yield from ("", *([section.title, "-" * len(section.title)] if section.title else []))
        yield from map(text_of, section.lines)


def text_of(line: Line) -> str:
    if line.form is Form.FACT:
        return f"{line.name}: {line.text}"
    return {Form.ITEM: "- ", Form.COMMAND: "    "}.get(line.form, "") + line.text
