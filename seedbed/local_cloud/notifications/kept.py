"""Reads the e-mails in a home."""

import mailbox
from pathlib import Path
from typing import Any


def kept(maildir: Path) -> list[Any]:
    """The messages in a Maildir, oldest first."""
    try:
        folder = mailbox.Maildir(maildir, create=False)
        return [folder[key] for key in sorted(folder.keys(), key=lambda key: folder[key].get_date())]
    except (mailbox.NoSuchMailboxError, FileNotFoundError):  # not created yet, or just being created
        return []
