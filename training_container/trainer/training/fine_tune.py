"""Trials of kind `fine-tune`: they train the whole network on the images, starting from the best head.

A head that fits the pretrained features keeps the first steps from distorting them (Kumar et al. 2022, arXiv
2202.10054).
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trainer import pack
from trainer.archive import HEAD, WHOLE, read_model
from trainer.backbones import build_backbone
from trainer.errors import BadInput
from trainer.job import JobPaths
from trainer.keras_loader import keras
from trainer.training.augment_images import augment, cutmix
from trainer.training.head import build_head
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.loop import Batch, Recipe
from trainer.training.trial import TrialSetup, compile_for, label_weights
from trainer.types import Floats, Pixels

EVALUATED_AT_ONCE = 64
SAMPLED_IMAGES = 512
AVERAGED_EPOCHS = 1
CUTMIX_SHARE = 0.5
EARLY_STRIDE = 4


def fine_tune_recipe(job: JobPaths, chosen: Hyperparameters) -> TrialSetup:
    """A trial on the channel `training`.

    The optional channels `head` and `pretrained` hold the best head's archive and the backbone's weights.
    """
    folder = job.channel("training")
    description = pack.read_description(folder)
    training, validation = (pack.read_training(folder, split) for split in ("train", "validation"))
    steps = len(training.labels) // chosen.batch_size
    if not steps:
        raise BadInput(f"A batch of {chosen.batch_size} is more than the {len(training.labels)} training images.")
    network = _network(job, training.images, description, chosen)
    compile_for(network, chosen, steps * chosen.epochs, average_over=steps * AVERAGED_EPOCHS)
    weights = label_weights(training.labels, len(description.labels), chosen)

    def epoch(rng: np.random.Generator) -> Iterator[Batch]:
        return batches(training, chosen, weights, rng)

    def validate() -> Floats:
        starts = range(0, len(validation.labels), EVALUATED_AT_ONCE)
        parts = (validation.images[start : start + EVALUATED_AT_ONCE].astype(np.float32) for start in starts)
        return np.concatenate([network.predict_on_batch(part) for part in parts])

    recipe = Recipe(network, chosen.epochs, epoch, validate, validation.labels)
    return TrialSetup(recipe, WHOLE, description.fine_tune_size, description.labels)


def batches(
    split: pack.TrainingSplit, chosen: Hyperparameters, weights: Floats, rng: np.random.Generator
) -> Iterator[Batch]:
    """One epoch in a new random order, in full batches; the remainder is left out."""
    one_hot = np.eye(len(weights), dtype=np.float32)
    order = rng.permutation(len(split.labels))
    for step in range(len(order) // chosen.batch_size):
        rows = order[step * chosen.batch_size :][: chosen.batch_size]
        numbers = split.labels[rows]
        images, targets = augment(split.images[rows], chosen.augmentation, rng), one_hot[numbers]
        if rng.random() < CUTMIX_SHARE * chosen.augmentation:
            images, targets = cutmix(images, targets, rng)
        yield Batch(images, targets, weights[numbers])


def _network(job: JobPaths, images: Pixels, description: pack.Description, chosen: Hyperparameters) -> keras.Model:
    """Images 0 to 255 → probabilities; early layers and batch normalisations are frozen."""
    backbone = build_backbone(chosen.backbone, description.fine_tune_size, job.channel("pretrained"))
    sample = np.linspace(0, len(images) - 1, min(len(images), SAMPLED_IMAGES)).astype(int)
    parts = np.array_split(sample, -(-len(sample) // EVALUATED_AT_ONCE))
    features = np.concatenate([backbone.predict_on_batch(images[rows].astype(np.float32)) for rows in parts])
    head = build_head(features, len(description.labels), chosen)
    _start_from(job.channel("head") / "model.tar.gz", head, description)
    network = keras.Model(backbone.input, head(backbone.output), name="images_to_probabilities")
    for layer in [*backbone.layers, *head.layers]:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization) and not _is_early(layer, backbone)
    return network


def _is_early(layer: keras.layers.Layer, backbone: keras.Model) -> bool:
    """Whether a layer's maps have at least a quarter of the images' side: edges and colours that all images share."""
    shape = layer.output.shape
    return len(shape) == 4 and shape[1] * EARLY_STRIDE >= backbone.input_shape[1]


def _start_from(archive: Path, head: keras.Model, description: pack.Description) -> None:
    """Sets the weights of `head` to the best head's, if that has the same shape and labels."""
    if not archive.exists():
        return
    with tempfile.TemporaryDirectory() as scratch:
        best = read_model(archive, HEAD, Path(scratch, "head"))
    fits = [weight.shape for weight in best.network.weights] == [weight.shape for weight in head.weights]
    if fits and best.labels == description.labels:
        head.set_weights(best.network.get_weights())
