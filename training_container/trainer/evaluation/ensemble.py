"""Joins networks, averages them into one, and calibrates it, with Keras's own layers only: anybody can load it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.archive import MEMBER, Model, Parts, mean_probabilities
from trainer.backbones import build_backbone
from trainer.errors import UnreadableModel
from trainer.keras_loader import keras


def to_whole_model(trial: Model, pretrained: Path) -> Model:
    """The whole model of a trial, images 0 to 255 → probabilities: a head is put on top of its backbone.

    `pretrained` is as for `build_backbone`.
    """
    if len(trial.network.input_shape) == 4:
        return trial
    backbone = build_backbone(str(trial.facts["backbone"]), trial.image_size, pretrained)
    if trial.network.input_shape != backbone.output_shape:
        raise UnreadableModel("The best trial's model takes other features than the backbone gives.")
    network = keras.Model(backbone.input, trial.network(backbone.output), name="images_to_probabilities")
    return Model(network, trial.facts, trial.labels, trial.image_size, parts=Parts(backbone, trial.network))


def resize_input(model: Model, size: int) -> Model:
    """A whole model that takes images of another size and resizes them itself."""
    if model.image_size == size:
        return model
    images = keras.Input((size, size, 3), name="images")
    return Model(keras.Model(images, model.network(scaled(images, model.image_size))), model.facts, model.labels, size)


def scaled(images: Any, size: int) -> Any:
    """A network's images, resized where they are of another size."""
    if images.shape[1] == size:
        return images
    return keras.layers.Resizing(size, size, antialias=True, name="scale")(images)


def combine_members(members: Sequence[Model], temperature: float = 1.0) -> keras.Model:
    """One network for whole models: the softmax of their mean logits, divided by the temperature.

    It takes images of the largest member's size. The members' networks become parts of it, and give logits from then
    on; as parts of it they give their features too, which `probabilities_and_features` takes.
    """
    size = max(member.image_size for member in members)
    images = keras.Input((size, size, 3), name="images")
    logits = []
    for number, member in enumerate(members):
        _to_logits(member.network)
        logits.append(_with_features(member, size, f"{MEMBER}{number}")(images)[0])
    divide_logits(members, temperature)
    return keras.Model(images, mean_probabilities(logits), name="images_to_probabilities")


def combined_parts(members: Sequence[Model]) -> Parts | None:
    """The parts of the network that members were combined into, if it is that of one head."""
    parts = members[0].parts
    if len(members) > 1 or parts is None:
        return None
    features = keras.Input(parts.backbone.output_shape[1:], name="features")
    return Parts(parts.backbone, keras.Model(features, mean_probabilities([parts.head(features)])))


def divide_logits(members: Sequence[Model], temperature: float) -> None:
    """Divides the logits of members, and so those of the network that they were combined into."""
    for member in members:
        last = _last_layer(member.network)
        last.set_weights([weights / temperature for weights in last.get_weights()])


def _with_features(member: Model, size: int, name: str) -> keras.Model:
    """Images of a size → a member's logits, and the features that its last layer or its head takes."""
    images = keras.Input((size, size, 3), name="images")
    network = member.network
    inner = keras.Model(network.input, [network.output, network.layers[-2].output])
    return keras.Model(images, inner(scaled(images, member.image_size)), name=name)


def _to_logits(network: keras.Model) -> None:
    last = _last_layer(network)
    if not isinstance(last, keras.layers.Dense) or last.activation is not keras.activations.softmax:
        raise UnreadableModel("The trial's model can't be calibrated: its last layer is not Dense with softmax.")
    last.activation = keras.activations.linear
    network.predict_function = None  # it was traced with the softmax


def _last_layer(network: keras.Model) -> keras.layers.Layer:
    last = network.layers[-1]
    return _last_layer(last) if isinstance(last, keras.Model) else last
