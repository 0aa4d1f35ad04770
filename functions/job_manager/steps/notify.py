"""A run started, ended, or has waited for long: tell people and programs once; let expire what only the run needed."""

from dataclasses import replace

from ..domain import layout
from ..domain.measurement import Measurement, Metric
from ..domain.notifications.ended import of_ended
from ..domain.notifications.notification import Notification
from ..domain.notifications.plain_text import message_of
from ..domain.notifications.underway import of_delay, of_start
from ..domain.run import Run, RunState
from ..ports import Ports


def notify(run: Run, ports: Ports) -> Notification | None:
    """Tell of a run that ended, then set the outbox marks; None if the e-mail was sent before.

    After a crash between the two it is told again: at least once, not at most once. This is called again until what the
    run alone needed is marked to expire.
    """
    if not run.state.ended:
        return None
    sent = tell_once(layout.notified(run.run_id), of_ended(run, ports.announcer.stack), ports)
    if run.state is not RunState.REFUSED:
        ports.bucket.let_expire(run.run_id)
    if run.notified is None:
        heard = ports.announcer.is_heard()
        ports.runs.announced(replace(run, notified=heard))
        if not heard:
            ports.metrics.record([Measurement(Metric.EMAILS_UNHEARD)], run.run_id)
    ports.runs.notified(run.run_id)
    return sent


def notify_of_start(run: Run, ports: Ports, *, mailed: bool) -> Notification | None:
    """Tell once that a run has started, programs alone unless it is `mailed`; not if its end has been told of."""
    if run.state is not RunState.PREPARING or ports.bucket.has(layout.notified(run.run_id)):
        return None
    notification, mark = of_start(run, ports.announcer.stack), layout.notified_of_start(run.run_id)
    if mailed:
        return tell_once(mark, notification, ports)
    announce_once(mark, notification, ports)
    return None


def notify_of_delay(run: Run, ports: Ports) -> Notification | None:
    """Tell that SageMaker refuses to create a run's job, after some minutes, once for a stage and cause."""
    delay = run.delay
    if run.state.ended or delay is None or not delay.is_worth_telling(ports.clock.now()):
        return None
    mark = layout.notified_of_delay(run.run_id, run.state.value, delay.cause.value)
    return tell_once(mark, of_delay(run, delay, ports.announcer.stack), ports)


def tell_once(mark: str, notification: Notification, ports: Ports) -> Notification | None:
    """Tell people and then programs, each once; None if the e-mail was sent before."""
    sent = mail_once(mark, notification, ports)
    announce_once(mark, notification, ports)
    return notification if sent else None


def mail_once(mark: str, notification: Notification, ports: Ports) -> bool:
    """Send the e-mail and mark it as sent; False if it was before."""
    if ports.bucket.has(mark):
        return False
    ports.announcer.mail(notification)
    ports.bucket.mark_notified(mark, message_of(notification))
    ports.metrics.record([Measurement(Metric.EMAILS_SENT)])
    return True


def announce_once(mark: str, notification: Notification, ports: Ports) -> None:
    """Publish the notification to programs and mark it as published, unless it was before."""
    published = layout.announced(mark)
    if not ports.bucket.has(published):
        ports.announcer.announce(notification)
        ports.bucket.mark_notified(published, notification)
