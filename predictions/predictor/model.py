"""A model that onnxruntime runs, with the facts that are needed to use it."""

from typing import Any

import msgspec
import numpy as np
import onnxruntime

from job_manager.domain.errors import MalformedOutput
from trainer.answering.averages import predict_views
from trainer.answering.verdicts import Thresholds, Verdicts, verdicts
from trainer.types import Floats, Pixels
from trainer.views import MAX_VIEWS

INPUT = "images"


class Facts(msgspec.Struct, frozen=True):
    """What of `model.json` is needed: labels in the order of the outputs, pixels a side, and views to average over.

    `thresholds` say when the model is sure; older models have none.
    """

    labels: list[str]
    image_size: int
    views: int = 1
    thresholds: Thresholds | None = None


class OnnxModel:
    """Classifies squares of `facts.image_size` pixels."""

    def __init__(self, network: bytes, facts: bytes) -> None:
        """From the contents of model.onnx and model.json. Raises MalformedOutput if they can't be used."""
        try:
            self.facts = msgspec.json.decode(facts, type=Facts)
            self._session = session_of(network)
            size, labels = self.facts.image_size, len(self.facts.labels)
            takes, gives = self._session.get_inputs()[0], self._session.get_outputs()
            fits = list(takes.shape[1:]) == [size, size, 3] and [of.shape[-1] for of in gives] in (
                [labels],
                [labels, 1],
            )
        except Exception as error:  # onnxruntime raises anything for damaged files
            raise MalformedOutput("The best model's files can't be read.") from error
        if not fits or not 1 <= self.facts.views <= MAX_VIEWS:
            raise MalformedOutput("The best model's model.json does not describe its model.onnx.")

    def answers(self, images: Pixels, views: int) -> Verdicts:
        """The answers on images (n, size, size, 3), averaged over the first `views` views."""
        outputs = predict_views(self._predict, images, views)
        return verdicts(outputs, len(self.facts.labels), self.facts.thresholds)

    def _predict(self, images: Pixels) -> Floats:
        """The probabilities and, if the network measures it, the distance after them."""
        return np.concatenate(self._session.run(None, {INPUT: images.astype("float32")}), axis=1)


def session_of(network: bytes, threads: int = 1) -> Any:
    """What runs a network. One thread: the function has one processor, and more would wait for each other."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
