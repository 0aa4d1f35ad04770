"""The error that a person reads."""


class SeedbedError(Exception):
    """A command can't do what it was asked to. The text says why, and what to do next."""
