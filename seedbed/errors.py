"""What a person is told when a command can't do what they asked."""


class SeedbedError(Exception):
    """Its text is one sentence that says what to do next."""
