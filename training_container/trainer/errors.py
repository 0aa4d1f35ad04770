"""The errors a person is meant to read: each message is one sentence that says what is wrong or missing.

TrainerError
├── BadInput           the job cannot go on with what it was given
│   ├── BadHyperparameter
│   ├── OtherTrainer
│   └── UnreadableModel
├── ImageRefused       one image cannot be used; the job goes on with the rest
├── DecoderFailed      no image can be decoded
└── DecodersClosed     the decoders were closed before they had decoded all images
"""


class TrainerError(Exception):
    """Base of every error of this package."""


class BadInput(TrainerError):
    """The job's input does not allow it to go on."""


class BadHyperparameter(BadInput):
    """A hyperparameter is unknown, or its text is not a value of its kind."""


class OtherTrainer(BadInput):
    """What an earlier job of the run wrote is of another version of the trainer; the job manager knows the words."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was made by another version of the trainer: the run has to begin again.")


class UnreadableModel(BadInput):
    """A model archive is missing, damaged or not one of ours."""


class ImageRefused(TrainerError):
    """One image cannot be used; the message is the reason, to follow its file's name."""


class DecoderFailed(TrainerError):
    """The process that decodes images can't be started."""


class DecodersClosed(TrainerError):
    """The decoders were closed before they had decoded all images."""
