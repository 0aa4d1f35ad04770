"""A disk that is almost full: users get one e-mail, and the open run's record names what it waits for."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from ..notifications.mail import Mailer
from ..sagemaker.disk import Disk
from .reserve import Reserve

INTERVAL = 1.0
SUBJECT = "Seedbed: the disk is almost full"

logger = logging.getLogger(__name__)


class Shortage:
    """Notifies users of each shortage. `update_run` has the open run's record name what it waits for."""

    def __init__(self, disk: Disk, reserve: Reserve, mailer: Mailer, update_run: Callable[[], None]) -> None:
        self._disk = disk
        self._reserve = reserve
        self._mailer = mailer
        self._update_run = update_run
        self._refused = False
        self._notified = False
        self._waiting: list[str] = []

    def note_refusal(self) -> None:
        """Note that an upload was refused for lack of room."""
        self._refused = True

    async def watch(self) -> None:
        """Check every second; never returns."""
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await asyncio.to_thread(self.check)
            except Exception:
                logger.exception("The disk could not be checked; trying again")

    def check(self) -> None:
        """Notify users once per shortage, if a job waits or an upload was refused."""
        self._reserve.adjust()
        short, waiting = self._disk.is_short(), self._disk.waiting()
        if (waiting or (short and self._refused)) and not self._notified:
            self._notified = True
            self._mailer.notify(SUBJECT, message(self._disk, waiting))
        if waiting != self._waiting:
            self._waiting = waiting
            self._update_run()
        if not short and not waiting:
            self._notified = self._refused = False
            self._mailer.keep_pending()


def message(disk: Disk, waiting: list[str]) -> str:
    """The text of an e-mail about a shortage."""
    lines = [f"At {datetime.now().astimezone():%H:%M} on {datetime.now().astimezone():%Y-%m-%d}: {disk.sentence()}"]
    lines += ["Uploads are refused until there is room. Nothing that was stored is lost, and all of it can be read."]
    lines += [f"Jobs that wait for room: {', '.join(waiting)}"] if waiting else []
    return "\n".join(lines) + "\n"
