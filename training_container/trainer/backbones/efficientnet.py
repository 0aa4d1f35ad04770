"""EfficientNet-Lite0 to 2 in Keras 3, with the ImageNet weights of their PyTorch ports.

Architecture: Tan and Le 2019 (arXiv 1905.11946) in the "lite" variant: no squeeze-and-excitation, ReLU6 instead of
swish, and a stem, head, first and last stage that don't scale with the rest. Each batch normalisation is folded into
the convolution before it: with frozen statistics the two are one affine map, and one layer runs 1.5 times as fast as
two.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from trainer.backbones.efficientnet_weights import imagenet_checkpoint, read_checkpoint
from trainer.keras_loader import keras
from trainer.types import Floats

layers = keras.layers
NORM_EPSILON = 1e-3
ROOT_OFFSET = 1e-3
CHANNEL_STEP = 8
UNFILLED = "zeros"  # the checkpoint replaces them, and drawing random ones takes JAX ten seconds


class Scale(NamedTuple):
    """The factors by which a network is wider and deeper than Lite0."""

    width: float
    depth: float


VARIANTS: Mapping[str, Scale] = {
    "efficientnet-lite0": Scale(1.0, 1.0),
    "efficientnet-lite1": Scale(1.0, 1.1),
    "efficientnet-lite2": Scale(1.1, 1.2),
}


class NetworkStage(NamedTuple):
    """Inverted-residual blocks of one resolution; the first has the stride and changes the number of channels."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int
    pooled: bool
    """Whether averages over its depthwise layers are features."""
    deepens: bool
    """Whether deeper networks have more of its blocks."""

    def scaled(self, scale: Scale) -> "NetworkStage":
        """The stage of a wider and deeper network."""
        steps = int(self.channels * scale.width / CHANNEL_STEP + 0.5)
        blocks = math.ceil(self.blocks * scale.depth) if self.deepens else self.blocks
        return self._replace(blocks=blocks, channels=steps * CHANNEL_STEP)


STAGES = (
    NetworkStage(blocks=1, kernel=3, stride=1, expansion=1, channels=16, pooled=False, deepens=False),
    NetworkStage(blocks=2, kernel=3, stride=2, expansion=6, channels=24, pooled=False, deepens=True),
    NetworkStage(blocks=2, kernel=5, stride=2, expansion=6, channels=40, pooled=False, deepens=True),
    NetworkStage(blocks=3, kernel=3, stride=2, expansion=6, channels=80, pooled=True, deepens=True),
    NetworkStage(blocks=3, kernel=5, stride=1, expansion=6, channels=112, pooled=True, deepens=True),
    NetworkStage(blocks=4, kernel=5, stride=2, expansion=6, channels=192, pooled=True, deepens=True),
    NetworkStage(blocks=1, kernel=3, stride=1, expansion=6, channels=320, pooled=True, deepens=False),
)


def efficientnet_lite(name: str, image_size: int) -> keras.Model:
    """RGB images 0 to 255, (batch, image_size, image_size, 3) → features, (batch, d), each in 0 to 2.45.

    The features are square roots of averages over the depthwise layer of each block of the last four stages, and over
    the head: they show textures as well as objects, which suits plants better than the head alone. The roots keep what
    fills a part of the image, such as a border, from outweighing the rest (docs/changes.md). d is 9584 for Lite0, 11888
    for Lite1 and 12800 for Lite2.
    """
    model = _architecture(image_size, VARIANTS[name])
    _fill(model, read_checkpoint(imagenet_checkpoint(name)))
    return model


def _architecture(image_size: int, scale: Scale) -> keras.Model:
    images = keras.Input((image_size, image_size, 3), name="images")
    rescaled = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescale")(images)
    x = _activated(_convolution(32, 3, "stem", stride=2), rescaled)
    features = []
    block = 0
    for stage in (stage.scaled(scale) for stage in STAGES):
        for i in range(stage.blocks):
            name = f"block{block}"
            x, depthwise = _inverted_residual(x, stage, name, stage.stride if i == 0 else 1)
            if stage.pooled:
                features.append(_root_of_mean(depthwise, name))
            block += 1
    x = _activated(_convolution(1280, 1, "head"), x)
    features.append(_root_of_mean(x, "head"))
    return keras.Model(images, layers.Concatenate(name="features")(features), name="backbone")


def _root_of_mean(x: Any, name: str) -> Any:
    return keras.ops.sqrt(layers.GlobalAveragePooling2D(name=f"{name}_mean")(x) + ROOT_OFFSET)


def _inverted_residual(x: Any, stage: NetworkStage, name: str, stride: int) -> tuple[Any, Any]:
    """The outputs of the block and of its depthwise layer."""
    expanded = x
    if stage.expansion > 1:
        expanded = _activated(_convolution(x.shape[-1] * stage.expansion, 1, f"{name}_expand"), x)
    filters = layers.DepthwiseConv2D(
        stage.kernel, stride, padding="same", depthwise_initializer=UNFILLED, name=f"{name}_depthwise"
    )
    depthwise = _activated(filters, expanded)
    out = _convolution(stage.channels, 1, f"{name}_project")(depthwise)
    if stride == 1 and x.shape[-1] == stage.channels:
        out = layers.Add(name=f"{name}_add")([out, x])
    return out, depthwise


def _convolution(filters: int, kernel: int, name: str, stride: int = 1) -> keras.Layer:
    return layers.Conv2D(filters, kernel, stride, padding="same", kernel_initializer=UNFILLED, name=name)


def _activated(layer: keras.Layer, x: Any) -> Any:
    return layers.ReLU(6.0, name=f"{layer.name}_relu")(layer(x))


def _fill(model: keras.Model, tensors: Mapping[str, Floats]) -> None:
    for layer in model.layers:
        if layer.weights:
            convolution, norm = _names_in_checkpoint(layer.name)
            depthwise = isinstance(layer, layers.DepthwiseConv2D)
            layer.set_weights(fold_normalisation(tensors, convolution, norm, depthwise))


def _names_in_checkpoint(layer: str) -> tuple[str, str]:
    match layer.removeprefix("block").split("_"):
        case ["stem"]:
            return "_conv_stem", "_bn0"
        case ["head"]:
            return "_conv_head", "_bn1"
        case [block, "expand"]:
            return f"_blocks.{block}._expand_conv", f"_blocks.{block}._bn0"
        case [block, "depthwise"]:
            return f"_blocks.{block}._depthwise_conv", f"_blocks.{block}._bn1"
        case [block, "project"]:
            return f"_blocks.{block}._project_conv", f"_blocks.{block}._bn2"
    raise ValueError(f"no weights are known for the layer {layer}")


def fold_normalisation(tensors: Mapping[str, Floats], convolution: str, norm: str, depthwise: bool) -> list[Floats]:
    """Kernel and bias of a convolution with the normalisation after it folded in, in Keras's axis order."""
    gamma, beta, mean, variance = (
        tensors[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + NORM_EPSILON)
    kernel = tensors[f"{convolution}.weight"] * scale[:, None, None, None]
    return [kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)), beta - mean * scale]
