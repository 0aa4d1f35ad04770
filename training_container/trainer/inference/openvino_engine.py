"""Runs a network with OpenVINO, with one image per request and one request per core."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from trainer.types import Floats, Pixels

SETTINGS = {"PERFORMANCE_HINT": "THROUGHPUT"}
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
"""Without this OpenVINO computes in bfloat16 where the processor has it: twice as fast, to three digits."""


def load_openvino() -> Any:
    """The module, without its telemetry; ImportError if the platform has none."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino  # noqa: PLC0415 - not on every platform, and not for every verb

    return openvino


class OpenVinoEngine:
    """A network of one input and one output, read from an OpenVINO file; `exact` for float32 throughout."""

    def __init__(self, file: Path, exact: bool = True) -> None:
        openvino = load_openvino()
        core = openvino.Core()
        network = core.read_model(file)
        network.reshape([1, *list(network.input().partial_shape)[1:]])
        steps = openvino.preprocess.PrePostProcessor(network)
        steps.input().tensor().set_element_type(openvino.Type.u8)
        compiled = core.compile_model(steps.build(), "CPU", SETTINGS | (EXACT if exact else {}))
        self._width = compiled.output().shape[-1]
        self._requests = openvino.AsyncInferQueue(compiled)

    def __call__(self, images: Pixels) -> Floats:
        """Images (n, size, size, 3) → features (n, d)."""
        features = np.empty((len(images), self._width), np.float32)

        def keep(request: Any, row: int) -> None:
            features[row] = request.get_output_tensor().data[0]

        self._requests.set_callback(keep)
        for row in range(len(images)):
            self._requests.start_async({0: images[row : row + 1]}, row)
        self._requests.wait_all()
        return features
