"""A run ended: send one e-mail."""

from ..domain import layout
from ..domain.message import Message, message_about
from ..domain.run import Run
from ..ports import Ports


def notify(run: Run, ports: Ports) -> Message | None:
    """Send the e-mail about a run that ended, then set the outbox mark; None if the e-mail was sent before.

    After a crash between the two the e-mail is sent again: at least once, not at most once.
    """
    if not run.state.ended:
        return None
    message = None
    if not ports.bucket.has(layout.notified(run.run_id)):
        message = message_about(run)
        ports.announcer.publish(message)
        ports.bucket.mark_notified(run.run_id, message)
    ports.runs.notified(run.run_id)
    return message
