"""The jobs of one stage: how long they are expected to be waited for, and how much of that is billed."""

from dataclasses import dataclass
from math import ceil, log2

from ..plan import Machine
from . import assumptions as given
from .assumptions import Range
from .prices import vcpus

START_UNBILLED = int(given.START_WAITED.value.high - given.START_BILLED.value.high)
ON_DEMAND = Range(1.0, 1.0)


@dataclass(frozen=True)
class Jobs:
    """The equal jobs of a stage, `parallel` at a time; `work` is in seconds on two cores of the benchmark.

    `time_limit` is each job's, `stage_limit` that of all together, in seconds.
    """

    count: int
    parallel: int
    machine: Machine
    work: Range
    time_limit: int
    stage_limit: int
    price_share: Range = ON_DEMAND

    @property
    def rounds(self) -> int:
        """How often a job waits for another's end, and one more."""
        return ceil(self.count / min(self.count, self.parallel))

    @property
    def work_there(self) -> Range:
        """The seconds of a job's work on its own machine."""
        faster: float = given.PER_DOUBLING.value.low ** log2(vcpus(self.machine.instance_type) / 2)
        return self.work * given.SLOWNESS.value * (1 / faster)

    @property
    def billed(self) -> Range:
        """The seconds of a job that are paid for."""
        return (given.START_BILLED.value + self.work_there).at_most(self.time_limit)

    @property
    def needed(self) -> Range:
        """The seconds from the first job's creation to the last one's end, if none reaches its time limit."""
        return (given.START_WAITED.value + self.work_there) * self.rounds

    @property
    def seconds(self) -> Range:
        """The same, with the time limits: a job's counts from where it is billed."""
        limit = min(self.rounds * (self.time_limit + START_UNBILLED), self.stage_limit)
        return self.needed.at_most(limit)

    @property
    def is_cut(self) -> bool:
        """Whether a time limit may end a job before its work is done."""
        one = given.START_BILLED.value.high + self.work_there.high
        return one > self.time_limit or self.needed.high > self.stage_limit
