"""Numbers and times as pages show them; each is a filter of the templates, too."""

from datetime import UTC, datetime

FILTERS = ("percent", "interval", "dollars", "count", "moment", "took", "size", "short_trial")
MISSING = "\u2013"


def percent(share: float | None, digits: int = 1) -> str:
    """A share, from 0 to 1, in percent; a dash for None."""
    return MISSING if share is None else f"{share:.{digits}%}"


def interval(ends: tuple[float, float] | None) -> str:
    """A 95% interval of a share."""
    return MISSING if ends is None else f"{percent(ends[0])} to {percent(ends[1])}"


def dollars(amount: float | None) -> str:
    """US dollars; a dash for None."""
    return MISSING if amount is None else f"US$\u00a0{amount:.2f}"


def count(number: int | None) -> str:
    """A whole number with its thousands apart; a dash for None."""
    return MISSING if number is None else f"{number:,}"


def moment(at: datetime | None) -> str:
    """A time in UTC, to the minute; a dash for None."""
    return MISSING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def took(seconds: float | None) -> str:
    """A length of time in its two largest units; a dash for None."""
    if seconds is None:
        return MISSING
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}\u00a0s"
    if whole < 3600:
        return f"{whole // 60}\u00a0min {whole % 60}\u00a0s"
    return f"{whole // 3600}\u00a0h {whole % 3600 // 60}\u00a0min"


def size(number: int | None) -> str:
    """Bytes in the unit that people read; a dash for None."""
    if number is None:
        return MISSING
    if number < 1_000_000:
        return f"{number / 1000:.0f}\u00a0kB"
    return f"{number / 1_000_000:.1f}\u00a0MB"


def short_trial(name: str, run_id: str) -> str:
    """A trial's name without its run's."""
    return name.removeprefix(f"{run_id}-")
