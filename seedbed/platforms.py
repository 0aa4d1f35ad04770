"""Where Seedbed runs. Any Python 3 can load this module, to say what is wrong with it."""

import platform
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
NEWEST_ON_INTEL_MACS = (3, 12)
PROCESSORS = {"aarch64", "arm64", "x86_64"}


def obstacle() -> str:
    """Why Seedbed can't run at all; empty where it can."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return f"Seedbed needs Python 3.11, 3.12 or 3.13, and {sys.executable} is {platform.python_version()}."
    if sys.platform == "win32":
        return "Seedbed runs on Linux and macOS; on Windows, install it in WSL."
    return ""


def obstacle_to_tensorflow() -> str:
    """Why TensorFlow can't be installed; empty where it can."""
    system, processor = platform.system(), platform.machine()
    if processor not in PROCESSORS:
        return f"TensorFlow has no wheels for {processor}."
    if system == "Linux" and platform.libc_ver()[0] != "glibc":
        return "TensorFlow has no wheels for Linux without glibc, as Alpine is; use Debian or Fedora, say."
    if (system, processor) == ("Darwin", "x86_64") and sys.version_info[:2] > NEWEST_ON_INTEL_MACS:
        return "TensorFlow's last wheels for Intel Macs are for Python 3.12: install Seedbed with that."
    return ""
