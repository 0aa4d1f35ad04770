"""What the expected cost of a run rests on: measurements, and assumptions that hold until somebody measures on AWS."""

from dataclasses import dataclass

BENCHMARK = "fitted to docs/bench-training.md, measured on 2 cores"
UNMEASURED = "assumed until measured on AWS"


@dataclass(frozen=True)
class Range:
    """A lower and an upper value."""

    low: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: "Range | float") -> "Range":
        factor = other if isinstance(other, Range) else Range(other, other)
        return Range(self.low * factor.low, self.high * factor.high)

    def at_most(self, limit: float) -> "Range":
        """This range, cut at the limit."""
        return Range(min(self.low, limit), min(self.high, limit))


NOTHING = Range(0.0, 0.0)


@dataclass(frozen=True)
class Assumption:
    """A value that the expectation uses, what it stands for, and where it comes from."""

    meaning: str
    value: Range
    source: str


def measured(meaning: str, value: float, source: str = BENCHMARK) -> Assumption:
    """An assumption with one value."""
    return Assumption(meaning, Range(value, value), source)


# A job's start.
START_BILLED = Assumption("seconds billed before a job's work begins", Range(60, 120), UNMEASURED)
START_WAITED = Assumption(
    "seconds waited before a job's work begins, the billed ones included", Range(120, 240), UNMEASURED
)

# A machine.
SPOT_SHARE = Assumption("share of the price that a spot instance costs", Range(0.3, 0.5), UNMEASURED)
SLOWNESS = Assumption("seconds on 2 vCPUs of AWS for one second of the benchmark", Range(1.0, 1.3), UNMEASURED)
PER_DOUBLING = measured(
    "speed-up by twice the vCPUs",
    1.65,
    "measured from 2 to 8 cores on a network of the same kind: 2.8 times in training",
)

# The images.
TRAIN_SHARE = measured("share of the images in the training split", 0.69)
OTHER_SHARE = measured("share of the images in validation and test split", 0.31)

# The work, on 2 cores.
PREPARE_START = measured("seconds until prepare reads its first image", 4)
DECODE = measured("seconds to check, split and pack an image", 0.0012)
VIEW = measured("seconds to extract the features of a view at 288 pixels", 1 / 190.6)
CHANGES = measured("harmless changes that each of the changed images is scored under", 14, "trainer/evaluation")
CHANGE = measured("seconds to change an image at 288 pixels, the mean of all changes", 0.0013, "measured on one core")
MERGE_START = Assumption(
    "seconds until merge has read what it compares, and writes its report", Range(4, 8), UNMEASURED
)
MERGE = Assumption("seconds to compare an image with all others", Range(0.0002, 0.001), UNMEASURED)
HEAD_START = measured("seconds until a job of heads trains its first one", 5)
HEAD = measured("seconds to train a head, for each training image", 6 / 2784)
FINE_TUNE_START = measured("seconds until fine-tuning begins its first epoch", 8.5)
EPOCH = measured(
    "seconds of an epoch of fine-tuning at 224 pixels, for each image that it sees",
    1 / 60,
    "47.7 images a second of docs/bench-training.md, 1.26 times as fast since decision 57, in float32",
)
EPOCH_IMAGES = measured("training images that an epoch of fine-tuning sees at most", 20_000, "trainer/training")
EARLY_SHARE = measured("share of the epochs of fine-tuning that see smaller images", 0.4, "trainer/training")
EARLY_SCALE = measured("side of these images, as a share of the other images'", 5 / 7, "trainer/training")
EVALUATE_START = measured("seconds of evaluate without models: its start, its report", 9.5)
EXPORT = measured("seconds to export the model in a format and check the export", 6)

# Beside the jobs.
UPLOAD_EVENTS = measured(
    "US dollars for the events of an upload: rule, queues, functions, table",
    1.66e-6,
    "measured calls: docs/bench-load.md",
)
READ_REQUEST = measured("US dollars for prepare's request of an image", 0.4e-6, "S3's list price of a GET request")

MEASURED_SIZE, FINE_TUNED_SIZE = 288, 224

ASSUMPTIONS = tuple(value for value in list(globals().values()) if isinstance(value, Assumption))
