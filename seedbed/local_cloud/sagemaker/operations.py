"""SageMaker's operations: which ones this endpoint has, and what each calls."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.model import OperationNotFoundError

from . import listing, request_fields, service_model, tags
from .errors import Unsupported
from .experiments.catalog import Catalog
from .experiments.lineage import Lineage
from .experiments.measurements import Measurements
from .experiments.operations import Experiments
from .experiments.search import Search
from .hosting.endpoint_configs import EndpointConfigs
from .hosting.endpoints import Endpoints
from .hosting.models import Models
from .jobs import JobServices
from .kinds import ENDPOINT, ENDPOINT_CONFIG, MODEL, TUNING, Body, Kind
from .registry.groups import ModelPackageGroups
from .registry.packages import ModelPackages
from .tuning import view


class Operations:
    """All operations by name; requests and answers are checked against the service model.

    jobs: the operations of each kind of jobs.
    put_metrics: BatchPutMetrics, which is of a service beside SageMaker's own.
    """

    def __init__(self, services: JobServices, jobs: Mapping[Kind, Any], endpoints: Endpoints) -> None:
        self._ledger, self._disk = services.ledger, services.disk
        store = services.ledger.store
        self._table: dict[str, Callable[[Body], Body]] = {
            "DeleteHyperParameterTuningJob": jobs[TUNING].delete,
            "ListTrainingJobsForHyperParameterTuningJob": partial(view.list_training_jobs, services.ledger),
            "AddTags": partial(tags.add_tags, store),
            "DeleteTags": partial(tags.delete_tags, store),
            "UpdateEndpoint": endpoints.update,
            "UpdateEndpointWeightsAndCapacities": endpoints.update_weights,
            "ListTags": partial(tags.list_tags, store),
        }
        self._creates: dict[str, Callable[[Body, str], Body]] = {}
        for kind, operations in jobs.items():
            self._creates[f"Create{kind.name}"] = operations.create
            self._table[f"Stop{kind.name}"] = operations.stop
        hosted: dict[Kind, Any] = {
            MODEL: Models(services),
            ENDPOINT_CONFIG: EndpointConfigs(services),
            ENDPOINT: endpoints,
        }
        for kind, operations in hosted.items():
            self._creates[f"Create{kind.name}"] = operations.create
            self._table[f"Delete{kind.name}"] = operations.delete
        self._creates["CreateModelPackageGroup"] = (groups := ModelPackageGroups(services)).create
        self._creates["CreateModelPackage"] = (packages := ModelPackages(services)).create
        self._table |= {
            "DescribeModelPackageGroup": groups.describe,
            "ListModelPackageGroups": groups.list,
            "DeleteModelPackageGroup": groups.delete,
            "DescribeModelPackage": packages.describe,
            "UpdateModelPackage": packages.update,
            "ListModelPackages": packages.list,
            "DeleteModelPackage": packages.delete,
        }
        for kind in (*jobs, *hosted):
            self._table[f"Describe{kind.name}"] = partial(self._describe, kind)
            self._table[f"List{kind.name}s"] = partial(listing.list_jobs, services.ledger, kind)

        catalog = Catalog(store, services.settings)
        self.put_metrics = Measurements(catalog).put
        experiments, lineage = Experiments(catalog), Lineage(catalog)
        self._creates |= {**experiments.creates, **lineage.creates}
        self._table |= {**experiments.table, **lineage.table, **Search(services.ledger, catalog).table}

    def call(self, name: str, request: Any, region: str) -> Body:
        """The answer to a request. region: of the client. Raises ApiError."""
        try:
            service_model.operation(name)
        except OperationNotFoundError:
            raise Unsupported(f"SageMaker has no operation named '{name}'.") from None
        if name not in self._table and name not in self._creates:
            raise Unsupported(f"The operation {name} is not implemented by this local SageMaker endpoint.")
        known = service_model.validate(name, request)
        request_fields.check(name, known)
        answer = self._creates[name](known, region) if name in self._creates else self._table[name](known)
        return service_model.answer(name, answer)

    def _describe(self, kind: Kind, request: Body) -> Body:
        if kind is TUNING:
            body = view.describe(self._ledger, request)
        else:
            body = self._ledger.find(kind, request[kind.name_field]).body
        return self._disk.with_waiting_reason(kind, body)
