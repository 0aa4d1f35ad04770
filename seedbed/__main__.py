"""Where every command begins: until the rest is loaded, which takes a second, an interruption ends it at once."""

from . import interrupts


def main() -> None:
    """Run a command."""
    interrupts.leave_at_once()
    from .cli import main as run  # noqa: PLC0415  what takes long to load is loaded once interruptions are seen to

    run()


if __name__ == "__main__":
    main()
