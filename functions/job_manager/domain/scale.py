"""What a run does otherwise when it has many images: prepare on several instances, and heads tuned on a sample."""

from dataclasses import replace

from .plan import Plan

MOST_INSTANCES = 20
TRAINED, VALIDATED, TESTED = 0.70, 0.15, 0.15
"""The shares of the splits, as prepare makes them."""
FEATURES = 10_000
"""How many numbers a backbone gives for a view at most: an EfficientNet-Lite gives 9,584, keras.applications fewer."""
FEATURE_BYTES = 2
CACHED_BYTES = 4 * 2**30
"""Prepare keeps as many views of the training images as have their features in so many bytes with those of the
validation images, but at least one."""


def for_images(plan: Plan, images: int) -> Plan:
    """The plan of a run on so many images: of what the stack allows at most, only what so many images need.

    It gives the same again for a plan that has been fitted to them before.
    """
    sampled = TRAINED * images > plan.head_sample
    return replace(
        plan,
        prepare_instances=min(plan.prepare_instances, most_instances(plan, images)),
        head_sample=plan.head_sample if sampled else 0,
    )


def view_bytes(plan: Plan, images: int) -> float:
    """The size of the features of one view of every image, by all backbones."""
    return images * len(plan.backbones) * FEATURES * FEATURE_BYTES


def views_kept(plan: Plan, images: int) -> int:
    """How many views of each training image have their features kept, with so many images in the dataset."""
    fit = (CACHED_BYTES / view_bytes(plan, max(images, 1)) - VALIDATED) / TRAINED
    return int(min(max(fit, 1), plan.views))


def most_instances(plan: Plan, images: int) -> int:
    """On how many instances so many images are read at most, however many the plan has."""
    return min(max(-(-images // plan.images_per_instance), 1), MOST_INSTANCES)
