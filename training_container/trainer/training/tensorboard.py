"""Writes the epochs' metrics for TensorBoard, without TensorFlow, so that it works with every Keras backend."""

import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

FORMAT = "brain.Event:2"


class EventLog:
    """One TensorBoard event file in `folder`, which SageMaker uploads in output.tar.gz."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"events.out.tfevents.{time.time():.6f}").open("wb")
        self._records = RecordWriter(self._file)
        self._write(Event(wall_time=time.time(), file_version=FORMAT))

    def add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Adds the metrics of an epoch; `train_loss` becomes `loss/train`: one chart per metric, one line per split."""
        values = []
        for name, value in metrics.items():
            split, _, metric = name.partition("_")
            values.append(Summary.Value(tag=f"{metric}/{split}", simple_value=value))
        self._write(Event(step=epoch, wall_time=time.time(), summary=Summary(value=values)))

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())
        self._file.flush()
