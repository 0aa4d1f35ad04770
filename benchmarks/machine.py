"""The machine that a benchmark runs on, as its page names it."""

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
UNITS = {"amx_bf16": "AMX", "avx512f": "AVX-512", "avx2": "AVX2"}
"""By the flag that Linux gives them, the fastest for matrices first."""


def processor() -> str:
    """What Linux calls the processor, with the fastest of its vector units."""
    lines = CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.exists() else []
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
    flags = facts.get("flags", "").split()
    unit = next((f" with {title}" for flag, title in UNITS.items() if flag in flags), "")
    return facts.get("model name", "a processor") + unit
