"""A run ended, or has waited for long: send one e-mail; let expire what only the run itself needed."""

from dataclasses import replace

from ..domain import layout
from ..domain.measurement import Measurement, Metric
from ..domain.message import Message, message_about, message_of_delay
from ..domain.run import Run, RunState
from ..ports import Ports


def notify(run: Run, ports: Ports) -> Message | None:
    """Send the e-mail about a run that ended, then set the outbox mark; None if the e-mail was sent before.

    After a crash between the two the e-mail is sent again: at least once, not at most once. This is called again until
    what the run alone needed is marked to expire.
    """
    if not run.state.ended:
        return None
    message = sent_once(layout.notified(run.run_id), message_about(run), ports)
    if run.state is not RunState.REFUSED:
        ports.bucket.let_expire(run.run_id)
    if run.notified is None:
        heard = ports.announcer.is_heard()
        ports.runs.announced(replace(run, notified=heard))
        if not heard:
            ports.metrics.record([Measurement(Metric.EMAILS_UNHEARD)], run.run_id)
    ports.runs.notified(run.run_id)
    return message


def notify_of_delay(run: Run, ports: Ports) -> Message | None:
    """Send the e-mail that SageMaker refuses to create a run's job, after some minutes, once for a stage and cause."""
    delay = run.delay
    if run.state.ended or delay is None or not delay.is_worth_telling(ports.clock.now()):
        return None
    mark = layout.notified_of_delay(run.run_id, run.state.value, delay.cause.value)
    return sent_once(mark, message_of_delay(run, delay), ports)


def sent_once(mark: str, message: Message, ports: Ports) -> Message | None:
    """The message, sent and marked as sent; None if it was before."""
    if ports.bucket.has(mark):
        return None
    ports.announcer.publish(message)
    ports.bucket.mark_notified(mark, message)
    ports.metrics.record([Measurement(Metric.EMAILS_SENT)])
    return message
