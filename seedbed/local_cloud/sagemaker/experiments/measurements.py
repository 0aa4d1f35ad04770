"""BatchPutMetrics of SageMaker's metrics service, with which the SDK's Run records metrics of its trial component."""

import math
from typing import Any

from .. import service_model
from ..errors import Invalid
from ..kinds import Body
from ..records.experiments import COMPONENT
from ..records.statistics import summary
from ..records.store import Store
from .catalog import Catalog

SERVICE = "sagemaker-metrics"
PATH = "/BatchPutMetrics"
MOST_METRICS = 100
MOST_POINTS = 20_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS measurements (
  id INTEGER PRIMARY KEY, component TEXT NOT NULL, metric TEXT NOT NULL, step INTEGER, at REAL NOT NULL,
  value REAL NOT NULL)
"""
INDEX = "CREATE INDEX IF NOT EXISTS measured ON measurements (component, metric)"


class Measurements:
    """Keeps the values of metrics, and their summaries with the trial component."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._store: Store = catalog.store
        with self._store.transaction() as db:
            db.execute(SCHEMA)
            db.execute(INDEX)

    def put(self, request: Any) -> Body:
        """BatchPutMetrics: up to ten values, each kept or named among the Errors. Raises NotFound and Invalid.

        The component may be given by its ARN, as in SDK 2's own tests.
        """
        if not isinstance(request, dict):
            raise Invalid("The request's body is not a JSON object.")
        known = service_model.validate("BatchPutMetrics", _by_name(request), SERVICE)
        name = known["TrialComponentName"]
        with self._store.transaction():
            self._catalog.ensure_row(COMPONENT, name)
            codes = [self._add(name.lower(), datum) for datum in known["MetricData"]]
            self._store.remember(COMPONENT, name, metrics=self._summaries(name.lower()))
        errors = [{"Code": code, "MetricIndex": index} for index, code in enumerate(codes) if code]
        return {"Errors": errors} if errors else {}

    def _add(self, component: str, datum: Body) -> str:
        """Keeps one value. Returns an error's code, empty if it is kept."""
        if not math.isfinite(datum["Value"]) or not math.isfinite(datum["Timestamp"]):
            return "VALIDATION_ERROR"
        metric = datum["MetricName"]
        with self._store.transaction() as db:
            sizes = dict(
                db.execute(
                    "SELECT metric, COUNT(*) FROM measurements WHERE component = ? GROUP BY metric", (component,)
                ).fetchall()
            )
            if sizes.get(metric, 0) >= MOST_POINTS or (metric not in sizes and len(sizes) >= MOST_METRICS):
                return "METRIC_LIMIT_EXCEEDED"
            db.execute(
                "INSERT INTO measurements (component, metric, step, at, value) VALUES (?, ?, ?, ?, ?)",
                (component, metric, datum.get("Step"), datum["Timestamp"], datum["Value"]),
            )
        return ""

    def _summaries(self, component: str) -> list[Body]:
        with self._store.transaction() as db:
            rows = db.execute(
                "SELECT metric, value, at FROM measurements WHERE component = ? ORDER BY metric, at, id", (component,)
            ).fetchall()
        points: dict[str, list[tuple[float, float]]] = {}
        for metric, value, at in rows:
            points.setdefault(metric, []).append((value, at))
        return [summary(metric, found) for metric, found in points.items()]


def _by_name(request: Body) -> Body:
    name = request.get("TrialComponentName")
    if not isinstance(name, str) or not name.startswith("arn:"):
        return request
    return {**request, "TrialComponentName": name.rpartition("/")[2]}
