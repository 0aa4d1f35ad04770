"""Runs a program as a person's own shell would, whatever started the tests: launch.py PARENT WORDS….

No signal is ignored or blocked, as nohup and the background of a script would have it, and where Linux can, the program
is killed when its parent is: a test run that is killed leaves nothing behind.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, words: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("The tests ended before this program began.")
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) in {signal.SIG_IGN, signal.default_int_handler}:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execvp(words[0], words)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
