"""What the job manager knows and decides; no I/O, the standard library only."""
