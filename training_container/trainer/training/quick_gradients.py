"""A network as it is trained on a processor: the same answers sooner.

The gradients of a pointwise convolution's weights are the product of two matrices, and computed as such. Where the
processor multiplies bfloat16 in hardware, the network computes in it. Keras's own mixed precision is no faster on
TensorFlow, which has only slow code for the gradients of depthwise convolutions in bfloat16: they are computed in
float32 here. docs/decisions/0057 and 0061 have the measurements.
"""

from pathlib import Path
from typing import Any

from trainer.keras_loader import BACKEND, keras

CPUINFO = Path("/proc/cpuinfo")
BFLOAT16_UNIT = "amx_bf16"
ROUNDED, EXACT = "mixed_bfloat16", "float32"

if BACKEND == "tensorflow":
    import tensorflow as tf


def multiplies_bfloat16() -> bool:
    """Whether the processor multiplies matrices of bfloat16 in hardware."""
    return CPUINFO.exists() and BFLOAT16_UNIT in CPUINFO.read_text(encoding="utf-8").split()


def may_be_quick() -> bool:
    """Whether networks are trained by TensorFlow on a processor."""
    return BACKEND == "tensorflow" and all(device.startswith("cpu") for device in keras.distribution.list_devices())


def quick(network: keras.Model, *, rounded: bool) -> keras.Model:
    """The network with quick gradients and convolutions of its own; its weights come in the same order.

    With `rounded` they compute in bfloat16, and keep their weights in float32.
    """
    policy = keras.DTypePolicy(ROUNDED if rounded else EXACT)
    copy = keras.models.clone_model(network, clone_function=lambda layer: _quick_layer(layer, policy))
    copy.set_weights(network.get_weights())
    for layer, original in zip(copy.layers, network.layers, strict=True):
        layer.trainable = original.trainable
    return copy


def _quick_layer(layer: keras.Layer, policy: keras.DTypePolicy) -> keras.Layer:
    """The layer itself if it has no quick gradients and is no part of what is rounded."""
    config = {**layer.get_config(), "dtype": policy}
    match layer:
        case keras.layers.DepthwiseConv2D() if _is_plain(layer) and not layer.trainable:
            return FrozenDepthwise.from_config(config)
        case keras.layers.Conv2D() if (
            _is_plain(layer) and layer.kernel_size == layer.strides == (1, 1) and layer.groups == 1
        ):
            return Pointwise.from_config(config)
        case keras.layers.Conv2D() | keras.layers.ReLU() | keras.layers.Add() | keras.layers.Rescaling():
            return type(layer).from_config(config)
    return layer


def _is_plain(layer: Any) -> bool:
    plain = layer.activation is keras.activations.linear and layer.data_format == "channels_last"
    return plain and layer.dilation_rate == (1, 1) and layer.strides[0] == layer.strides[1]


class Pointwise(keras.layers.Conv2D):  # type: ignore[misc]
    """A convolution by one pixel with a stride of 1, of maps (n, height, width, channels)."""

    def call(self, inputs: Any) -> Any:
        """The maps with other channels."""
        outputs = _pointwise(inputs, tf.cast(tf.convert_to_tensor(self.kernel), inputs.dtype))
        return tf.nn.bias_add(outputs, tf.cast(self.bias, inputs.dtype)) if self.use_bias else outputs


class FrozenDepthwise(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """A depthwise convolution whose filters are not trained, of maps (n, height, width, channels)."""

    def call(self, inputs: Any) -> Any:
        """The filtered maps."""
        filters = tf.cast(tf.convert_to_tensor(self.kernel), tf.float32)
        outputs = _depthwise(inputs, filters, self.strides[0], self.padding.upper())
        return tf.nn.bias_add(outputs, tf.cast(self.bias, inputs.dtype)) if self.use_bias else outputs


def _pointwise(maps: Any, kernel: Any) -> Any:
    """Maps (n, height, width, c) and a kernel (1, 1, c, d) → maps (n, height, width, d)."""

    def compute(maps: Any, kernel: Any) -> Any:
        def gradients(of_outputs: Any) -> Any:
            of_maps = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(maps), filter=kernel, out_backprop=of_outputs, strides=[1] * 4, padding="SAME"
            )
            rows, targets = (tf.reshape(values, (-1, values.shape[-1])) for values in (maps, of_outputs))
            return of_maps, tf.matmul(rows, targets, transpose_a=True)[None, None]

        return tf.nn.conv2d(maps, kernel, 1, "SAME"), gradients

    return tf.custom_gradient(compute)(maps, kernel)


def _depthwise(maps: Any, filters: Any, stride: int, padding: str) -> Any:
    """Maps (n, height, width, c) and filters (k, k, c, m) in float32 → maps; the filters have no gradient."""
    steps = [1, stride, stride, 1]

    def compute(maps: Any) -> Any:
        def gradient(of_outputs: Any) -> Any:
            exact = tf.cast(of_outputs, tf.float32)
            of_maps = tf.nn.depthwise_conv2d_backprop_input(tf.shape(maps), filters, exact, steps, padding)
            return tf.cast(of_maps, maps.dtype)

        return tf.nn.depthwise_conv2d(maps, tf.cast(filters, maps.dtype), steps, padding), gradient

    return tf.custom_gradient(compute)(maps)
