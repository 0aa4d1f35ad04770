"""Makes `time.time` steady in the local cloud's process, so that waits don't depend on the machine's clock.

MiniStack's queues and schedules wait by `time.time`: a clock set back by an hour would prolong their waits by an hour,
and a clock set forward would end them. Signatures are checked by `datetime`, which is unchanged.
"""

import time

# On Linux and macOS; unlike `time.monotonic`, both count while the machine sleeps.
ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def install() -> None:
    """From now on `time.time` returns the present time plus the time elapsed since."""
    offset = time.time() - time.clock_gettime(ELAPSED)
    time.time = lambda: offset + time.clock_gettime(ELAPSED)
