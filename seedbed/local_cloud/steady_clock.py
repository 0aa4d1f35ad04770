"""A clock that is never set: in the local cloud's process all waits are by elapsed time.

MiniStack's queues and schedules wait by `time.time`: a machine's clock that is set an hour back would have them wait an
hour longer, and one that is set on would end all waits. Signatures are checked by `datetime`, which stays as it is.
"""

import time

# Of Linux and macOS; unlike `time.monotonic` both go on while the machine sleeps.
ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def install() -> None:
    """From now on `time.time` in this process is what it is now and the time elapsed since."""
    offset = time.time() - time.clock_gettime(ELAPSED)
    time.time = lambda: offset + time.clock_gettime(ELAPSED)
