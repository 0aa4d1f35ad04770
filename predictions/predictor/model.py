"""A model that onnxruntime runs, with the facts that are needed to use it."""

from typing import Any

import msgspec
import onnxruntime

from job_manager.domain.errors import MalformedOutput
from trainer.answering.averages import average_probabilities, predict_views
from trainer.types import Floats, Pixels
from trainer.views import MAX_VIEWS

INPUT = "images"


class Facts(msgspec.Struct, frozen=True):
    """What of `model.json` is needed: labels in the order of the outputs, pixels a side, and views to average over."""

    labels: list[str]
    image_size: int
    views: int = 1


class OnnxModel:
    """Classifies squares of `facts.image_size` pixels."""

    def __init__(self, network: bytes, facts: bytes) -> None:
        """From the contents of model.onnx and model.json. Raises MalformedOutput if they can't be used."""
        try:
            self.facts = msgspec.json.decode(facts, type=Facts)
            self._session = session_of(network)
            size, labels = self.facts.image_size, len(self.facts.labels)
            takes, gives = self._session.get_inputs()[0], self._session.get_outputs()[0]
            fits = list(takes.shape[1:]) == [size, size, 3] and gives.shape[-1] == labels
        except Exception as error:  # onnxruntime raises anything for damaged files
            raise MalformedOutput("The best model's files can't be read.") from error
        if not fits or not 1 <= self.facts.views <= MAX_VIEWS:
            raise MalformedOutput("The best model's model.json does not describe its model.onnx.")

    def probabilities(self, images: Pixels, views: int) -> Floats:
        """Probabilities (n, labels) of images (n, size, size, 3), averaged over the first `views` views."""
        return average_probabilities(predict_views(self._predict, images, views))

    def _predict(self, images: Pixels) -> Floats:
        answer: Floats = self._session.run(None, {INPUT: images.astype("float32")})[0]
        return answer


def session_of(network: bytes, threads: int = 1) -> Any:
    """What runs a network. One thread: the function has one processor, and more would wait for each other."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
