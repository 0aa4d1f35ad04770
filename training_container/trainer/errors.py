"""Errors for people to read: each message is one sentence that says what is wrong or missing.

TrainerError
├── BadInput           the job can't continue with its input
│   ├── BadHyperparameter
│   ├── OtherTrainer
│   └── UnreadableModel
├── ImageRefused       one image can't be used; the job continues with the others
├── DecoderFailed      no image can be decoded
└── DecodersClosed     the decoders were closed before all images were decoded
"""


class TrainerError(Exception):
    """Base of every error of this package."""


class BadInput(TrainerError):
    """The job can't continue with its input."""


class BadHyperparameter(BadInput):
    """A hyperparameter is unknown, or its value is not valid."""


class OtherTrainer(BadInput):
    """An earlier job of the run had another version of the trainer. The job manager matches this message."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was made by another version of the trainer: the run has to begin again.")


class UnreadableModel(BadInput):
    """A model archive is missing, damaged or not written by this package."""


class ImageRefused(TrainerError):
    """One image can't be used; the message is the reason, and is shown after the file's name.

    `is_image` is whether the file is an image by its content; None if that does not tell.
    """

    def __init__(self, reason: str, is_image: bool | None = None) -> None:
        super().__init__(reason)
        self.is_image = is_image


class DecoderFailed(TrainerError):
    """The process that decodes images can't be started."""


class DecodersClosed(TrainerError):
    """The decoders were closed before all images were decoded."""
