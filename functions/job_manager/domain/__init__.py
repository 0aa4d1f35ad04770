"""The rules of the job manager: no I/O, only the standard library."""
