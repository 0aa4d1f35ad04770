"""The lines of Python in the card that use the model, with only what they need: tests run them as they are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup


class Usage(NamedTuple):
    """How a format is used: with which package, and the lines that define `predict`."""

    runtime: Markup
    code: Markup


PROBABILITIES = Markup(
    """\
import json

import numpy as np
from PIL import Image, ImageOps

with open("model.json", encoding="utf-8") as file:
    facts = json.load(file)


def probabilities(path, predict):
    side, views = facts["image_size"], []
    photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    square = photo.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    for number in range(facts["views"]):
        turned = np.rot90(np.asarray(square), (0, 2, 0, 2, 1, 3, 1, 3)[number])
        views.append(turned[:, ::-1] if number // 2 % 2 else turned)
    answers = np.maximum(predict(np.stack(views)), np.finfo(np.float32).tiny)
    mean = np.exp(np.log(answers).mean(axis=0))
    return dict(zip(facts["labels"], mean / mean.sum()))"""
)
_LITERT = """\
import tensorflow as tf

interpreter = tf.lite.Interpreter("{file}")  # on a phone or board: ai_edge_litert.interpreter.Interpreter
interpreter.allocate_tensors()
takes, gives = interpreter.get_input_details()[0], interpreter.get_output_details()[0]


def one(image):
    interpreter.set_tensor(takes["index"], image[None].astype(takes["dtype"]))
    interpreter.invoke()
    return interpreter.get_tensor(gives["index"])[0]


def predict(images):
    return np.stack([one(image) for image in images])"""
USAGES: Mapping[str, Usage] = {
    "keras": Usage(
        Markup("Keras, model.keras"),
        Markup(
            """\
import keras

predict = keras.saving.load_model("model.keras", compile=False).predict_on_batch"""
        ),
    ),
    "onnx": Usage(
        Markup("onnxruntime, model.onnx"),
        Markup(
            """\
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])


def predict(images):
    return session.run(None, {"images": images.astype(np.float32)})[0]"""
        ),
    ),
    "saved_model": Usage(
        Markup("TensorFlow, saved\\_model"),
        Markup(
            """\
import tensorflow as tf

loaded = tf.saved_model.load("saved_model")


def predict(images):
    return loaded.serve(images.astype(np.float32)).numpy()"""
        ),
    ),
    "litert": Usage(Markup("LiteRT, model.tflite"), Markup(_LITERT.format(file="model.tflite"))),  # noqa: S704
    "litert_int8": Usage(
        Markup("LiteRT in integers, model\\_int8.tflite"),
        Markup(_LITERT.format(file="model_int8.tflite")),  # noqa: S704
    ),
}


def formats(exports: Sequence[Mapping[str, Any]]) -> Iterator[Usage]:
    """Of Keras's own format, and of each that was exported."""
    made = {export["format"] for export in exports if "error" not in export}
    yield from (usage for name, usage in USAGES.items() if name == "keras" or name in made)
