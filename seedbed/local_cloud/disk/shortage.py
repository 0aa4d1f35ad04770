"""A disk that is short of room: people hear of it once, and the open run tells what it waits for."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from ..notifications.mail import Mailer
from ..sagemaker.disk import Disk
from .reserve import Reserve

INTERVAL = 1.0
SUBJECT = "Seedbed: the disk is short of room"

logger = logging.getLogger(__name__)


class Shortage:
    """One shortage after another. `look_again` has the functions ask SageMaker what the open run waits for."""

    def __init__(self, disk: Disk, reserve: Reserve, mailer: Mailer, look_again: Callable[[], None]) -> None:
        self._disk = disk
        self._reserve = reserve
        self._mailer = mailer
        self._look_again = look_again
        self._refused = False
        self._told = False
        self._waiting: list[str] = []

    def refused(self) -> None:
        """An upload was refused for want of room."""
        self._refused = True

    async def watch(self) -> None:
        """Look every second; never returns."""
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await asyncio.to_thread(self.look)
            except Exception:
                logger.exception("The disk could not be looked at; that is tried again")

    def look(self) -> None:
        """Tell what is new; a shortage in which nothing waits and nothing is refused is nobody's concern."""
        self._reserve.look()
        short, waiting = self._disk.is_short(), self._disk.waiting()
        if (waiting or (short and self._refused)) and not self._told:
            self._told = True
            self._mailer.tell(SUBJECT, message(self._disk, waiting))
        if waiting != self._waiting:
            self._waiting = waiting
            self._look_again()
        if not short and not waiting:
            self._told = self._refused = False
            self._mailer.store_pending()


def message(disk: Disk, waiting: list[str]) -> str:
    """What an e-mail says of a shortage, be it over by then or not."""
    lines = [f"At {datetime.now().astimezone():%H:%M} on {datetime.now().astimezone():%Y-%m-%d}: {disk.sentence()}"]
    lines += ["What is stored can be read. Uploads are refused meanwhile, and nothing that was stored is lost."]
    lines += [f"These jobs wait: {', '.join(waiting)}"] if waiting else []
    return "\n".join(lines) + "\n"
