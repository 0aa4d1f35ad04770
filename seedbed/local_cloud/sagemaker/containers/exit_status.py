"""A container's exit status as AWS writes it, and in words if a signal ended it."""

import signal

SIGNALLED = 128
TOO_LITTLE_MEMORY = (
    ", probably for too little memory: lower what the job holds at once (its batch or image size) or how many jobs run "
    "side by side, or give it more memory"
)


def exit_code(status: int) -> int:
    """128 plus the signal's number if a signal ended it, as shells, Docker and AWS write it."""
    return SIGNALLED - status if status < 0 else status


def in_words(status: int) -> str:
    """Which signal ended the container, with the probable cause; empty if it ended by itself."""
    number = exit_code(status) - SIGNALLED
    if number not in set(signal.Signals):
        return ""
    if number == signal.SIGKILL:
        return f"Killed by signal {number} (SIGKILL){TOO_LITTLE_MEMORY}."
    return f"Ended by signal {number} ({signal.Signals(number).name})."
