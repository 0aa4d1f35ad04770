"""Errors for people to read: each message is one sentence that says what is wrong or missing.

TrainerError
├── BadInput           the job can't continue with its input
│   ├── BadHyperparameter
│   ├── Diverged
│   ├── OtherTrainer
│   └── UnreadableModel
├── WrongUse           the command line can't be used
├── ImageRefused       one image can't be used; the job continues with the others
├── RequestRefused     a request can't be answered
├── DecoderFailed      no image can be decoded
└── DecodersClosed     the decoders were closed before all images were decoded
"""

import errno
from http import HTTPStatus


class TrainerError(Exception):
    """Base of every error of this package."""


def sentence_for(error: BaseException) -> str:
    """What a person reads about an error."""
    if isinstance(error, TrainerError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The disk or the network'} can't be used: {error.strerror}. {_advice(error)}"
    if isinstance(error, MemoryError):
        return "There is too little memory: close other programs, or choose a larger instance type."
    return f"This is a mistake in the trainer; its log says where: {error}"


def _advice(error: OSError) -> str:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return "Make room on its disk, then run this again." if full else "Check it, or choose another."


class BadInput(TrainerError):
    """The job can't continue with its input."""


class BadHyperparameter(BadInput):
    """A hyperparameter is unknown, or its value is not valid."""


class Diverged(BadInput):
    """The training of a network diverged."""

    def __init__(self) -> None:
        super().__init__("The training diverged: its loss is no longer a number, so try a lower learning rate.")


class OtherTrainer(BadInput):
    """An earlier job of the run had another version of the trainer. The job manager matches this message."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was made by another version of the trainer: the run has to begin again.")


class UnreadableModel(BadInput):
    """A model archive is missing, damaged or not written by this package."""


class WrongUse(TrainerError):
    """The command line can't be used."""


class ImageRefused(TrainerError):
    """One image can't be used; the message is the reason, and is shown after the file's name.

    `is_image` is whether the file is an image by its content; None if that does not tell.
    """

    def __init__(self, reason: str, is_image: bool | None = None) -> None:
        super().__init__(reason)
        self.is_image = is_image


class RequestRefused(TrainerError):
    """A request can't be answered; the message says why and what to do, `status` the same to programs, as HTTP does."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class DecoderFailed(TrainerError):
    """The process that decodes images can't be started."""


class DecodersClosed(TrainerError):
    """The decoders were closed before all images were decoded."""
