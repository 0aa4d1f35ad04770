"""How large a disk each job gets, in GiB: from the images and the plan, as its files will be laid out there."""

from dataclasses import dataclass

from .dataset import Snapshot
from .errors import RunRefused
from .plan import Plan
from .scale import CACHED_BYTES, TESTED, TRAINED, VALIDATED, view_bytes

PIXEL_BYTES = 3
LARGEST_SHRUNK_PHOTO = 640 * 640 * PIXEL_BYTES
"""A photograph for evaluate is its file, or a PNG of 640 pixels at most."""
FACTS = 40_000
"""What merge reads of an image: a small picture of it, and what it is compared by."""
CHECKPOINT, OTHER_CHECKPOINT = 200 * 10**6, 6 * 10**9
"""The largest checkpoint of an EfficientNet-Lite, and of any network of keras.applications: five times its weights."""
SPARE = 1.2
FIXED_GIB = 10
"""The container's image, weights, models, exports and logs."""
LARGEST_GIB = 16_384
UNKNOWN_GIB = 30
"""For a run that was recorded without its images' size."""
GIB = 2**30


@dataclass(frozen=True)
class Amount:
    """So many images, of so many bytes together."""

    images: int
    bytes: int


def prepare_gib(plan: Plan, given: Amount | None) -> int:
    """The images and the pack: each instance's share of these."""
    if given is None:
        return UNKNOWN_GIB
    pack = features(plan, given) + training_images(plan, given) + photos(given) + given.images * FACTS
    return gib((given.bytes + pack) / plan.prepare_instances)


def merge_gib(given: Amount | None) -> int:
    """The light facts about each image, and what is written of them."""
    return gib(2 * given.images * FACTS) if given else UNKNOWN_GIB


def tuning_gib(plan: Plan, given: Amount | None) -> int:
    """The features."""
    return gib(features(plan, given)) if given else UNKNOWN_GIB


def fine_tuning_gib(plan: Plan, given: Amount | None) -> int:
    """The training images, and the checkpoints of all trials: each gets those of the others, too."""
    if given is None or plan.fine_tuning is None:
        return UNKNOWN_GIB
    checkpoint = CHECKPOINT if plan.has_backbones_in_the_image else OTHER_CHECKPOINT
    return gib(training_images(plan, given) + plan.fine_tuning.trials * checkpoint)


def evaluation_gib(plan: Plan, given: Amount | None) -> int:
    """The photographs of two splits, three models, and the winner in every format."""
    if given is None:
        return UNKNOWN_GIB
    return gib(photos(given) + (0 if plan.has_backbones_in_the_image else OTHER_CHECKPOINT))


def check_volumes(plan: Plan, snapshot: Snapshot) -> None:
    """Raise RunRefused if the images need a larger disk than SageMaker has."""
    needed = prepare_gib(plan, amount(snapshot))
    if needed > LARGEST_GIB:
        raise RunRefused(
            f"The images need a disk of {needed:,} GiB, and SageMaker's largest has {LARGEST_GIB:,}. Upload smaller "
            "copies of the images, or fewer, or lower ImageSize, or raise PrepareInstances."
        )


def amount(snapshot: Snapshot) -> Amount:
    """How many images a snapshot has, and how large they are."""
    return Amount(len(snapshot.images), sum(image.size for image in snapshot.images))


def features(plan: Plan, given: Amount) -> float:
    """Of each training image as many views as fit, of each validation image one, for each backbone."""
    view = view_bytes(plan, given.images)
    return min(view * (TRAINED * plan.views + VALIDATED), max(view * (TRAINED + VALIDATED), CACHED_BYTES))


def training_images(plan: Plan, given: Amount) -> float:
    return given.images * (TRAINED + VALIDATED) * plan.fine_tune_size**2 * PIXEL_BYTES


def photos(given: Amount) -> float:
    """The photographs of the validation and test splits; all images may be of the average size."""
    return (VALIDATED + TESTED) * max(given.bytes, given.images * LARGEST_SHRUNK_PHOTO)


def gib(size: float) -> int:
    """A volume for files of this size, with what any job needs beside them."""
    return FIXED_GIB + int(-(-SPARE * size // GIB))
