"""Metrics as lines of CloudWatch's embedded metric format (EMF) in the log: neither a call to AWS nor a permission."""

from collections.abc import Iterable
from itertools import groupby

from aws_lambda_powertools.metrics import EphemeralMetrics

from ..domain.measurement import Measurement
from ..domain.run import RunState


class EmfMetrics:
    """Implements `ports.Metrics`. The namespace and the `service` dimension come from the environment."""

    def record(self, measurements: Iterable[Measurement], run_id: str | None = None) -> None:
        for stage, same_dimensions in groupby(sorted(measurements, key=stage_of), key=stage_of):
            line = EphemeralMetrics()
            if stage:
                line.add_dimension("Stage", stage)
            if run_id:
                line.add_metadata("run_id", run_id)
            for one in same_dimensions:
                line.add_metric(one.metric.label, one.metric.unit, one.value)
            line.flush_metrics()


def stage_of(measurement: Measurement) -> RunState | str:
    return measurement.stage or ""
