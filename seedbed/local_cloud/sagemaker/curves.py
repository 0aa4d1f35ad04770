"""Training jobs' metrics for CloudWatch, where the SageMaker SDK's TrainingJobAnalytics looks for them."""

import logging
import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

log = logging.getLogger(__name__)

NAMESPACE = "/aws/sagemaker/TrainingJobs"
BATCH = 500
WAITING = 20_000


class Curves:
    """Collects points of every job's metrics. Where CloudWatch falls behind, the oldest are dropped."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients.cloudwatch
        self._lock = threading.Lock()
        self._waiting: deque[MetricDatumTypeDef] = deque(maxlen=WAITING)

    def add(self, job: str, metric: str, value: float, when: float) -> None:
        """when: epoch seconds."""
        datum: MetricDatumTypeDef = {
            "MetricName": metric,
            "Dimensions": [{"Name": "TrainingJobName", "Value": job}],
            "Timestamp": datetime.fromtimestamp(when, UTC),
            "Value": value,
        }
        with self._lock:
            self._waiting.append(datum)

    def send(self) -> None:
        with self._lock:
            points = list(self._waiting)
            self._waiting.clear()
        for start in range(0, len(points), BATCH):
            try:
                self._client.put_metric_data(Namespace=NAMESPACE, MetricData=points[start : start + BATCH])
            except (BotoCoreError, ClientError) as error:
                log.debug("Metrics did not reach CloudWatch: %s", error)
