"""The stages of a run: each starts its job, waits for it and reads its output."""
