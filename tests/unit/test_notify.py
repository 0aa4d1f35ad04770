"""People are notified of every run that ended, once."""

import pytest

from job_manager.domain import layout
from job_manager.domain.run import Run, RunState
from job_manager.steps.api import one_run, recent_runs
from job_manager.steps.notify import notify, notify_of_start
from tests.fakes.neighbours import MemoryAnnouncer
from tests.fakes.world import World, a_run


class Crash(Exception):
    """The function was killed."""


@pytest.mark.parametrize("state", [state for state in RunState if state.ended])
def test_one_message_is_sent_about_a_run_that_ended(world: World, state: RunState) -> None:
    run = a_run(state=state)

    assert notify(run, world) is not None
    assert notify(run, world) is None

    assert len(world.announcer.sent) == 1


@pytest.mark.parametrize("state", [state for state in RunState if not state.ended])
def test_no_message_is_sent_about_a_run_in_progress(world: World, state: RunState) -> None:
    assert notify(a_run(state=state), world) is None
    assert world.announcer.sent == []


def test_a_message_is_sent_again_after_a_crash_before_the_mark(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(world.bucket, "mark_notified", crash)
        with pytest.raises(Crash):
            notify(a_run(state=RunState.COMPLETED), world)

    notify(a_run(state=RunState.COMPLETED), world)

    assert len(world.announcer.sent) == 2


def test_a_message_that_could_not_be_sent_leaves_no_mark(world: World) -> None:
    class Mute(MemoryAnnouncer):
        def mail(self, notification: object) -> None:
            raise Crash

    run: Run = a_run(state=RunState.COMPLETED)
    world.announcer = Mute()
    with pytest.raises(Crash):
        notify(run, world)

    assert not world.bucket.has(layout.notified(run.run_id))


def test_programs_are_told_once_of_what_people_are(world: World) -> None:
    run = a_run(state=RunState.COMPLETED)

    for _ in range(2):
        notify(run, world)

    (event,) = world.announcer.announced
    assert event.subject == world.announcer.sent[0].subject


def test_a_failure_to_tell_programs_stops_no_mail_and_repeats_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(state=RunState.COMPLETED)
    with monkeypatch.context() as patch:
        patch.setattr(world.announcer, "announce", crash)
        with pytest.raises(Crash):
            notify(run, world)
    assert len(world.announcer.sent) == 1

    notify(run, world)

    assert len(world.announcer.sent) == len(world.announcer.announced) == 1


def test_a_start_is_told_of_once(world: World) -> None:
    run = world.start()

    for _ in range(2):
        notify_of_start(run, world, mailed=True)

    (message,) = world.announcer.sent
    assert message.subject == "Seedbed: a run has started on 12 images, cost: expected $0.01 to $0.03, at most $0.50"
    assert [event.kind for event in world.announcer.announced] == ["started"]


def test_only_programs_are_told_of_a_start_where_e_mails_about_it_are_turned_off(world: World) -> None:
    assert notify_of_start(a_run(), world, mailed=False) is None

    assert world.announcer.sent == []
    assert [event.kind for event in world.announcer.announced] == ["started"]


def test_a_start_is_not_told_of_after_the_end(world: World) -> None:
    notify(a_run(state=RunState.FAILED), world)

    notify_of_start(a_run(), world, mailed=True)

    assert [event.kind for event in world.announcer.announced] == ["failed"]


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.PREPARING])
def test_a_run_starts_in_its_first_stage_alone(world: World, state: RunState) -> None:
    assert notify_of_start(a_run(state=state), world, mailed=True) is None
    assert world.announcer.announced == []


def test_what_only_a_run_needed_expires_after_its_end(world: World) -> None:
    run = world.complete(world.start().run_id)
    trial, photos = f"{layout.trials(run.run_id)}t/output/model.tar.gz", f"{layout.test_split(run.run_id)}a"
    for key in (trial, photos, layout.model(run.run_id)):
        world.bucket.put(key, b"content")

    notify(run, world)

    assert {trial, photos} <= world.bucket.expiring
    assert layout.model(run.run_id) not in world.bucket.expiring
    assert layout.dataset_report(run.run_id) not in world.bucket.expiring


def test_a_run_whose_leftovers_could_not_be_marked_is_not_yet_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = world.complete(world.start().run_id)
    with monkeypatch.context() as patch:
        patch.setattr(world.bucket, "let_expire", crash)
        with pytest.raises(Crash):
            notify(run, world)
    assert run.run_id in world.runs.unnotified()

    notify(run, world)

    assert len(world.announcer.sent) == 1
    assert run.run_id not in world.runs.unnotified()


def test_a_run_knows_whether_anybody_could_hear_of_its_end(world: World) -> None:
    run = world.complete(world.start().run_id)
    assert one_run(run.run_id, world).notified is None
    world.announcer.subscribers = 0

    notify(run, world)

    told = one_run(run.run_id, world)
    assert told.notified is recent_runs(world).runs[0].notified is False
    assert told.notice.startswith("Nobody could hear of its end: no e-mail address is confirmed.")
    assert world.runs.unnotified() == []


def test_a_run_that_was_heard_of_stays_so(world: World) -> None:
    run = world.complete(world.start().run_id)
    notify(run, world)
    world.announcer.subscribers = 0

    notify(world.runs.get(run.run_id), world)

    told = one_run(run.run_id, world)
    assert (told.notified, told.notice) == (True, None)


def test_an_announcement_of_a_run_that_is_gone_adds_none(world: World) -> None:
    notify(a_run(state=RunState.COMPLETED), world)

    assert world.runs.recent(1) == []


def crash(*_: object) -> None:
    raise Crash
