"""The epochs' metrics as TensorBoard reads them, written without TensorFlow so that every backend can."""

import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

FORMAT = "brain.Event:2"


class EventLog:
    """One TensorBoard event file in `folder`; SageMaker brings it home in output.tar.gz."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"events.out.tfevents.{time.time():.6f}").open("wb")
        self._records = RecordWriter(self._file)
        self._write(Event(wall_time=time.time(), file_version=FORMAT))

    def add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """`train_loss` is shown as `loss/train`: one chart a metric, one line a split."""
        values = []
        for name, value in metrics.items():
            split, _, metric = name.partition("_")
            values.append(Summary.Value(tag=f"{metric}/{split}", simple_value=value))
        self._write(Event(step=epoch, wall_time=time.time(), summary=Summary(value=values)))

    def close(self) -> None:
        """Ends the file."""
        self._file.close()

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())
        self._file.flush()
