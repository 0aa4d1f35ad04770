"""People, AWS and bad luck as a state machine: each rule is a thing that one of them does."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.chaos.aftermath import calm_down
from tests.chaos.cloud import MANY_IMAGES, SMALL_PLAN, Cloud
from tests.chaos.faults import Fault
from tests.chaos.refusals import REFUSALS
from tests.chaos.sagemaker import Fate

GOOD = [f"seedlings/{label}/{number}.png" for label in ("Maize", "Common wheat") for number in range(3)]
BAD = ["stray.png", "seedlings/Maize/a\nb.png", "seedlings/Maize/deep/er.png"]
BODIES = [b"one", b"two", b""]
QUEUES = ["note_upload", "start_run", "advance_run"]
QUEUE = st.sampled_from(QUEUES)
INDEX = st.integers(0, 3)
NEXT_CALLS = st.integers(0, 40)


def end_jobs(cloud: Cloud) -> None:
    """All running jobs end."""
    for job in cloud.sagemaker.running_jobs():
        cloud.sagemaker.end(job)


def delete_first(cloud: Cloud) -> None:
    """One image goes."""
    for key in [key for key in cloud.storage.contents if key.startswith("seedlings/")][:1]:
        cloud.delete(key)


def upload_one(cloud: Cloud) -> None:
    """One image comes."""
    cloud.upload("seedlings/Maize/meanwhile.png", str(cloud.clock.now()).encode())


def set_clock(cloud: Cloud, seconds: int) -> None:
    """The functions' clock is set; that of SageMaker and the queues is another."""
    cloud.functions_clock.step(seconds)


def complain(broken: list[str]) -> None:
    """Fail where a promise was broken."""
    if broken:
        raise AssertionError("\n".join(broken))


DEEDS: dict[str, Callable[[Cloud], object]] = {
    **{function: partial(Cloud.deliver, function=function) for function in QUEUES},
    "reconcile": Cloud.reconcile,
    "notify": Cloud.tell,
    "upload": upload_one,
    "delete": delete_first,
    "end jobs": end_jobs,
    "ask to stop": Cloud.ask_to_stop,
    "ask to retry": Cloud.ask_to_retry,
    "a minute": partial(Cloud.forward, seconds=60),
    "an hour back": partial(set_clock, seconds=-3600),
    "an hour on": partial(set_clock, seconds=3600),
}


class Chaos(RuleBasedStateMachine):
    """Whatever may happen to a job manager."""

    def __init__(self) -> None:
        super().__init__()
        self.cloud = Cloud()

    @initialize(fine_tuned=st.booleans(), many=st.booleans(), images=st.integers(0, len(GOOD)))
    def begins(self, *, fine_tuned: bool, many: bool, images: int) -> None:
        """Heads alone, or fine-tuning too; as for few images, or for many; some images are there."""
        plan = MANY_IMAGES if many else SMALL_PLAN
        self.cloud.plan = self.cloud.affordable = plan if fine_tuned else replace(plan, fine_tuning=None)
        for number, key in enumerate(GOOD[:images]):
            self.cloud.upload(key, f"image {number}".encode())

    @rule(key=st.sampled_from([*GOOD, *BAD]), body=st.sampled_from(BODIES))
    def upload(self, key: str, body: bytes) -> None:
        """New, again, over another, or the same image under another name."""
        self.cloud.upload(key, body)

    @rule(images=st.integers(1, 9))
    def upload_folder(self, images: int) -> None:
        """Probably enough images for a run."""
        for number in range(images):
            self.cloud.upload(GOOD[number % len(GOOD)], f"image {number}".encode())

    @rule(index=INDEX)
    def delete(self, index: int) -> None:
        """An image goes."""
        found = sorted(key for key in self.cloud.storage.contents if not key.startswith("runs/"))
        if found:
            self.cloud.delete(found[index % len(found)])

    @rule(function=QUEUE, index=INDEX)
    def deliver(self, function: str, index: int) -> None:
        """Messages arrive, in any order."""
        self.cloud.deliver(function, index)

    @rule()
    def tell(self) -> None:
        """The stream's records arrive."""
        self.cloud.tell()

    @rule(function=QUEUE, index=INDEX)
    def double(self, function: str, index: int) -> None:
        """A message is there twice."""
        queue = self.cloud.queues[function]
        if queue.messages:
            queue.send_message(MessageBody=queue.messages[index % len(queue.messages)].body)

    @rule(function=st.sampled_from(["note_upload", "advance_run"]), index=INDEX)
    def lose(self, function: str, index: int) -> None:
        """An event never arrives."""
        messages = self.cloud.queues[function].messages
        if messages and messages[index % len(messages)] not in self.cloud.poison:
            del messages[index % len(messages)]

    @rule(function=QUEUE)
    def poison(self, function: str) -> None:
        """A message that nobody can read."""
        self.cloud.send_poison(function)

    @rule()
    def reconcile(self) -> None:
        """Reconcile's schedule fires."""
        self.cloud.reconcile()

    @rule(seconds=st.sampled_from([1, 60, 300, 1200]))
    def wait(self, seconds: int) -> None:
        """Time passes, and nothing that is due comes."""
        self.cloud.forward(seconds)

    @rule(seconds=st.sampled_from([-3600, -90, 3600]))
    def set_clock(self, seconds: int) -> None:
        """The functions' clock is set."""
        set_clock(self.cloud, seconds)

    @rule(seconds=st.sampled_from([130, 300, 700, 2000]))
    def flow(self, seconds: int) -> None:
        """Time passes, and all that is due comes."""
        self.cloud.flow(seconds)

    @rule(fate=st.sampled_from(Fate), quality=st.sampled_from([0.6, 0.7, 0.8]))
    def next_job(self, fate: Fate, quality: float) -> None:
        """How the next job will end."""
        self.cloud.sagemaker.fates.append((fate, quality))

    @rule()
    def end_jobs(self) -> None:
        """All running jobs end."""
        end_jobs(self.cloud)

    @rule()
    def stop(self) -> None:
        """A person stops all running jobs."""
        for job in self.cloud.sagemaker.running_jobs():
            self.cloud.sagemaker.stop(job)

    @rule()
    def ask_to_stop(self) -> None:
        """A person asks for the end of the open run."""
        self.cloud.ask_to_stop()

    @rule()
    def ask_to_retry(self) -> None:
        """A person asks for another attempt after the latest run."""
        self.cloud.ask_to_retry()

    @rule(rejecting=st.booleans())
    def permit(self, *, rejecting: bool) -> None:
        """SageMaker will have no more jobs, or again."""
        self.cloud.sagemaker.rejecting = rejecting

    @rule(refusal=st.sampled_from([None, *REFUSALS.values()]))
    def hold(self, refusal: tuple[str, str] | None) -> None:
        """SageMaker takes no job for now, or again."""
        self.cloud.sagemaker.refusal = refusal

    @rule(budget=st.sampled_from([0.01, 10.0]))
    def redeploy(self, budget: float) -> None:
        """Runs may cost less, or more."""
        self.cloud.plan = replace(self.cloud.plan, budget=budget)

    @rule(monthly_budget=st.sampled_from([None, 0.5, 10.0]))
    def spare(self, monthly_budget: float | None) -> None:
        """Months may cost less, or more."""
        self.cloud.plan = replace(self.cloud.plan, monthly_budget=monthly_budget)

    @rule()
    def lag(self) -> None:
        """The table's index falls behind."""
        self.cloud.table.lag()

    @rule()
    def lose_table(self) -> None:
        """The table is deleted; a person creates it again and fills it, repeatedly if that fails."""
        self.cloud.lose_table()
        for _ in range(50):
            if self.cloud.reconcile(rebuild=True):
                break

    @rule(after=NEXT_CALLS, fault=st.sampled_from(Fault))
    def spoil(self, after: int, fault: Fault) -> None:
        """A call of a function will go wrong."""
        self.cloud.faults.plan(after, fault)

    @rule(after=NEXT_CALLS, deeds=st.lists(st.sampled_from(sorted(DEEDS)), min_size=1, max_size=3))
    def overtake(self, after: int, deeds: list[str]) -> None:
        """While a function waits for an answer, other things happen."""

        def happens() -> None:
            for deed in deeds:
                DEEDS[deed](self.cloud)

        self.cloud.faults.meanwhile(after, happens)

    @invariant()
    def every_promise_is_kept(self) -> None:
        """What must never happen did not."""
        complain(self.cloud.watch.now())

    def teardown(self) -> None:
        """Faults cease, and all ends."""
        complain(calm_down(self.cloud))
