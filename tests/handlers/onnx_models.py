"""A champion whose ONNX file is small: it tells images by whether red, green or blue is brightest."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from job_manager.domain import layout
from job_manager.domain.results.scores import Export
from job_manager.domain.run import Run, RunState
from tests.handlers.deployed import Deployed

SIZE = 16
LABELS = ("Red", "Green", "Blue")


def network(scale: float = 1.0, size: int = SIZE, *, distance: bool = False) -> bytes:
    """The mean of each colour, times `scale`, through a softmax; with `distance` the brightness, 0 to 1, times 1.5."""
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["means"], keepdims=0),
        helper.make_node("Mul", ["means", "scale"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    constants = [
        numpy_helper.from_array(np.array([1, 2], np.int64), "axes"),
        numpy_helper.from_array(np.array(scale / 255, np.float32), "scale"),
    ]
    if distance:
        nodes += [
            helper.make_node("ReduceMean", ["means", "last"], ["brightness"], keepdims=1),
            helper.make_node("Mul", ["brightness", "unit"], ["distance"]),
        ]
        constants += [
            numpy_helper.from_array(np.array([1], np.int64), "last"),
            numpy_helper.from_array(np.array(1.5 / 255, np.float32), "unit"),
        ]
    takes = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", size, size, 3])
    gives = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 3])
    measures = [helper.make_tensor_value_info("distance", TensorProto.FLOAT, ["batch", 1])] if distance else []
    graph = helper.make_graph(nodes, "colours", [takes], [gives, *measures], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    content: bytes = model.SerializeToString()
    onnx.checker.check_model(content)
    return content


def facts(views: int = 2, **more: object) -> bytes:
    """Its model.json."""
    return json.dumps({"labels": LABELS, "image_size": SIZE, "views": views, "run": "x", **more}).encode()


def publish(deployed: Deployed, run: Run, network: bytes, facts: bytes) -> Run:
    """Make a run whose model has these files the champion, after the one that there is."""
    assert run.evaluation
    champion = deployed.runs.champion()
    files = {"exports/model.onnx": hashlib.sha256(network).hexdigest()}
    evaluation = replace(
        run.evaluation,
        exports=(Export("onnx", "exports/model.onnx", files=files),),
        files={"model.json": hashlib.sha256(facts).hexdigest()},
    )
    run = replace(run, evaluation=evaluation, champion_before=champion.run_id if champion else None, won=True)
    deployed.runs.create(replace(run, state=RunState.EVALUATING, won=False, ended_at=None))
    deployed.runs.move(run, came_from=RunState.EVALUATING)
    folder = layout.evaluation(run.run_id)
    deployed.put(f"{folder}exports/model.onnx", network)
    deployed.put(f"{folder}model.json", facts)
    return run
