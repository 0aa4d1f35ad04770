"""Trials of kind `fine-tune`: they train the whole network on the images, starting from the best head.

A head that fits the pretrained features keeps the first steps from distorting them (Kumar et al. 2022, arXiv
2202.10054). The first epochs see smaller images, which takes half the time; larger ones late make up for it (Touvron
et al. 2019, arXiv 1906.06423).
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from trainer import pack
from trainer.archive import HEAD, WHOLE, read_model
from trainer.backbones import build_backbone
from trainer.errors import BadInput
from trainer.job import JobPaths
from trainer.keras_loader import keras
from trainer.training.augment_images import augment, cutmix, shrunk
from trainer.training.head import build_head
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.loop import Batch, EarlyEpochs, Recipe
from trainer.training.quick_gradients import may_be_quick, multiplies_bfloat16, quick
from trainer.training.trial import TrialSetup, compile_for, label_weights
from trainer.types import Floats, Integers, Pixels

EVALUATED_AT_ONCE = 64
MOST_DEVICES = 8
"""Of one instance."""
SAMPLED_IMAGES = 512
EPOCH_IMAGES = 20_000
"""Images that an epoch sees at most, others each time: many more images don't need as many more steps."""
VALIDATION_IMAGES = 5_000
"""Of an even spread that is looked at after each epoch: the standard error of an accuracy of 0.9 is 0.004."""
EARLY_SCALE = 5 / 7
STRIDE = 32
AVERAGED_EPOCHS = 1
CUTMIX_SHARE = 0.5
EARLY_STRIDE = 4
FROZEN = (keras.layers.BatchNormalization, keras.layers.DepthwiseConv2D)


def fine_tune_recipe(job: JobPaths, chosen: Hyperparameters, devices: int = 1) -> TrialSetup:
    """A trial on the channel `training`, whose batches `devices` devices share.

    The optional channels `head` and `pretrained` hold the best head's archive and the backbone's weights.
    """
    chosen = replace(chosen, batch_size=max(1, chosen.batch_size // devices) * devices)
    folder = job.channel("training")
    description = pack.read_description(folder)
    training, validation = (pack.read_training(folder, split) for split in ("train", "validation"))
    steps = min(len(training.labels), EPOCH_IMAGES) // chosen.batch_size
    if not steps:
        raise BadInput(f"A batch of {chosen.batch_size} is more than the {len(training.labels)} training images.")
    plain = _network(job, training.images, description, chosen)
    network = quick(plain, rounded=multiplies_bfloat16()) if may_be_quick() else plain
    compile_for(network, chosen, steps * chosen.epochs, average_over=steps * AVERAGED_EPOCHS)
    weights = label_weights(training.labels, len(description.labels), chosen)
    watched = np.array(pack.evenly_spaced(len(validation.labels), VALIDATION_IMAGES))

    def epoch(rng: np.random.Generator) -> Iterator[Batch]:
        return batches(training, description.fine_tune_size, chosen, weights, rng)

    recipe = Recipe(
        network,
        chosen.epochs,
        epoch,
        validate=lambda: _predictions(network, validation.images, watched),
        truth=validation.labels[watched],
        early=_early(network, training, chosen, weights),
    )
    return TrialSetup(recipe, WHOLE, description.fine_tune_size, description.labels, plain)


def _predictions(network: keras.Model, images: Pixels | pack.ShardedArray, rows: Integers) -> Floats:
    """What the network gives for these rows of the images, (k, d), by batches of one size that devices can share."""
    at_once = min(EVALUATED_AT_ONCE, -(-len(rows) // MOST_DEVICES) * MOST_DEVICES)
    padded = np.resize(rows, -(-len(rows) // at_once) * at_once)
    parts = [network.predict_on_batch(images[part].astype(np.float32)) for part in padded.reshape(-1, at_once)]
    return np.concatenate(parts)[: len(rows)]


def _early(
    network: keras.Model, training: pack.TrainingSplit, chosen: Hyperparameters, weights: Floats
) -> EarlyEpochs | None:
    """The epochs on smaller images; None if there are none, or if no smaller size suits the network's strides."""
    epochs, size = int(chosen.epochs * chosen.early_share), network.input_shape[1]
    smaller = round(size * EARLY_SCALE / STRIDE) * STRIDE
    if not epochs or not 0 < smaller < size:
        return None
    same = keras.models.clone_model(network, keras.Input((smaller, smaller, 3)), clone_function=lambda layer: layer)
    accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    same.compile(network.optimizer, network.loss, metrics=[accuracy])
    return EarlyEpochs(epochs, same, lambda rng: batches(training, smaller, chosen, weights, rng))


def batches(
    split: pack.TrainingSplit, size: int, chosen: Hyperparameters, weights: Floats, rng: np.random.Generator
) -> Iterator[Batch]:
    """One epoch of images (n, size, size, 3) in a new random order, in full batches; the remainder is left out."""
    one_hot = np.eye(len(weights), dtype=np.float32)
    order = rng.permutation(len(split.labels))[:EPOCH_IMAGES]
    for step in range(len(order) // chosen.batch_size):
        rows = order[step * chosen.batch_size :][: chosen.batch_size]
        numbers = split.labels[rows]
        images, targets = augment(shrunk(split.images[rows], size), chosen.augmentation, rng), one_hot[numbers]
        if rng.random() < CUTMIX_SHARE * chosen.augmentation:
            images, targets = cutmix(images, targets, rng)
        yield Batch(images, targets, weights[numbers])


def _network(
    job: JobPaths, images: Pixels | pack.ShardedArray, description: pack.Description, chosen: Hyperparameters
) -> keras.Model:
    """Images 0 to 255 → probabilities. Early layers, depthwise convolutions and batch normalisations are frozen."""
    backbone = build_backbone(chosen.backbone, description.fine_tune_size, job.channel("pretrained"))
    features = _predictions(backbone, images, np.array(pack.evenly_spaced(len(images), SAMPLED_IMAGES)))
    head = build_head(features, len(description.labels), chosen)
    _start_from(job.channel("head") / "model.tar.gz", head, description)
    network = keras.Model(backbone.input, head(backbone.output), name="images_to_probabilities")
    for layer in [*backbone.layers, *head.layers]:
        layer.trainable = not isinstance(layer, FROZEN) and not _is_early(layer, backbone)
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
