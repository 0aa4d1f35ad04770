"""What goes wrong between a function and AWS: one proxy a boto3 client, which counts the calls and spoils some."""

# ruff: noqa: N803 (AWS names its parameters)
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

PAGES = {
    "list_objects_v2": ("NextContinuationToken", "ContinuationToken"),
    "list_training_jobs_for_hyper_parameter_tuning_job": ("NextToken", "NextToken"),
    "query": ("LastEvaluatedKey", "ExclusiveStartKey"),
}


class Crash(BaseException):
    """The process was killed: no handler of errors sees this."""


class Fault(StrEnum):
    """What happens to one call; `REPEATED` is botocore's own retry after an answer that got lost."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    REFUSED = "throttled, contended or over a limit"
    ANSWER_LOST = "answer lost"
    REPEATED = "repeated"


class Faults:
    """What will go wrong, and happen meanwhile, by the number of the call it strikes."""

    def __init__(self) -> None:
        self.calls = 0
        self.struck = 0
        self._planned: dict[int, Fault] = {}
        self._meanwhile: dict[int, Callable[[], None]] = {}

    def plan(self, after: int, fault: Fault) -> None:
        """Let the call after the next `after` ones go wrong."""
        self._planned[self.calls + after + 1] = fault

    def meanwhile(self, after: int, happens: Callable[[], None]) -> None:
        """Let something happen just before that call, while its function waits."""
        self._meanwhile[self.calls + after + 1] = happens

    def cease(self) -> None:
        """Nothing goes wrong any more."""
        self._planned.clear()
        self._meanwhile.clear()

    def call(self, operation: str, effect: Callable[[], Any]) -> Any:
        """The answer of a call which may go wrong."""
        self.calls += 1
        number = self.calls
        if number in self._meanwhile:
            self._meanwhile.pop(number)()
        fault = self._planned.pop(number, None)
        if fault is None:
            return effect()
        self.struck += 1
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        if fault is Fault.REFUSED:
            raise refusal(operation)
        return self._after(fault, operation, effect)

    def _after(self, fault: Fault, operation: str, effect: Callable[[], Any]) -> Any:
        answer: Any
        try:
            answer = effect()
        except ClientError as error:
            answer = error
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is Fault.ANSWER_LOST:
            raise ReadTimeoutError(endpoint_url="https://aws.invalid")
        # botocore sends a transaction again with the token of the first attempt: it happens once.
        if operation != "transact_write_items":
            return effect()
        if isinstance(answer, ClientError):
            raise answer
        return answer


def refusal(operation: str) -> ClientError:
    """How AWS turns a call away for now."""
    code = "ResourceLimitExceeded" if operation.startswith("create_") else "ThrottlingException"
    answer: Any = {"Error": {"Code": code, "Message": "Later"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer, operation)


class Flaky:
    """A client in memory as a function sees it, through `faults`."""

    def __init__(self, client: Any, faults: Faults) -> None:
        self._client = client
        self._faults = faults
        self.exceptions = client.exceptions

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._client, operation)

        def call(**request: Any) -> Any:
            return self._faults.call(operation, lambda: method(**request))

        self.__dict__[operation] = call
        return call

    def get_paginator(self, operation: str) -> "Pages":
        """All pages of a listing, each a call of its own."""
        return Pages(getattr(self, operation), *PAGES[operation])


class Pages:
    """A paginator: asks for the next page when it is wanted."""

    def __init__(self, call: Callable[..., Any], given: str, wanted: str) -> None:
        self._call = call
        self._given = given
        self._wanted = wanted

    def paginate(self, PaginationConfig: Any = None, **request: Any) -> Iterator[Any]:
        """The pages; MaxItems cuts DynamoDB's only, which nobody else sets here."""
        left = (PaginationConfig or {}).get("MaxItems")
        while True:
            page = self._call(**request)
            if left is not None:
                page["Items"] = page["Items"][:left]
                left -= len(page["Items"])
            yield page
            token = page.get(self._given)
            if token is None or left == 0:
                return
            request[self._wanted] = token
