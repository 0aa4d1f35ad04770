"""A clock that a test can set: a preloaded library adds the seconds in a file to the time of day."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t ahead(void) {
  char text[32] = {0};
  const char *path = getenv("SET_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return 0;
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  return size > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(clock, at);
  if (!failed && clock == CLOCK_REALTIME) at->tv_sec += ahead();
  return failed;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""


@dataclass(frozen=True)
class MachineClock:
    """A clock; processes with its `environment` use it."""

    library: Path
    file: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "SET_CLOCK": str(self.file)}

    def set(self, seconds: int) -> None:
        """Set the clock to so many seconds after the true time."""
        new = self.file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.file)


def machine_clock(folder: Path) -> MachineClock | None:
    """A clock that shows the true time; None if the library can't be compiled."""
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(SOURCE)
    compiler = shutil.which("cc")
    command = [compiler or "", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    if compiler is None or subprocess.run(command, check=False, capture_output=True).returncode:
        return None
    clock = MachineClock(library, folder / "ahead")
    clock.set(0)
    return clock
