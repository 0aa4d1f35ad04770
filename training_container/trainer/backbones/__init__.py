"""Pretrained networks by name: images in, features out."""

from pathlib import Path

from trainer.backbones.applications import APPLICATIONS, keras_application
from trainer.backbones.efficientnet import VARIANTS, efficientnet_lite
from trainer.errors import BadInput
from trainer.keras_loader import keras


def build_backbone(name: str, image_size: int, pretrained: Path | None = None) -> keras.Model:
    """RGB images 0 to 255, (batch, image_size, image_size, 3) → features, (batch, d), with frozen ImageNet weights.

    `name` is `efficientnet-lite0`, `-lite1`, `-lite2` or a class of keras.applications, whose weights are taken from
    the folder `pretrained` if they are there. All layers are Keras's own. Raises BadInput if the name is unknown or the
    weights can't be loaded.
    """
    if name in VARIANTS:
        model = efficientnet_lite(name, image_size)
    elif name in APPLICATIONS:
        model = keras_application(name, image_size, pretrained)
    else:
        raise BadInput(
            f"No backbone is named {name[:100]!r}: choose {', '.join(VARIANTS)} "
            "or a class of keras.applications, such as EfficientNetV2B0."
        )
    model.trainable = False
    return model
