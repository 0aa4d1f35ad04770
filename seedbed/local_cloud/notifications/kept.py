"""Reads the e-mails in a home."""

import mailbox
from pathlib import Path
from typing import Any


def text_of(message: Any) -> str:
    """The plain text of a message, which is all of it or one of its parts."""
    part = next((part for part in message.walk() if part.get_content_type() == "text/plain"), None)
    body = part.get_payload(decode=True) if part else None
    return body.decode(errors="replace") if isinstance(body, bytes) else ""


def kept(maildir: Path) -> list[Any]:
    """The messages in a Maildir, oldest first."""
    try:
        folder = mailbox.Maildir(maildir, create=False)
        return [folder[key] for key in sorted(folder.keys(), key=lambda key: folder[key].get_date())]
    except (mailbox.NoSuchMailboxError, FileNotFoundError):  # not created yet, or just being created
        return []
