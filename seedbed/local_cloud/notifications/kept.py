"""The e-mails that a home keeps, as a person reads them."""

import mailbox
from pathlib import Path
from typing import Any


def kept(maildir: Path) -> list[Any]:
    """The messages kept so far, oldest first."""
    try:
        folder = mailbox.Maildir(maildir, create=False)
        return [folder[key] for key in sorted(folder.keys(), key=lambda key: folder[key].get_date())]
    except (mailbox.NoSuchMailboxError, FileNotFoundError):  # nobody has made it, or somebody is just making it
        return []
