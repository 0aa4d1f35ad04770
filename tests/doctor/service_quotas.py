"""Service Quotas as far as the doctor asks it, over HTTP: moto has no quotas of SageMaker's."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

PAGE = 2


@dataclass
class Account:
    """An account's applied quotas, AWS's defaults, and the increases that were asked for, by the quota's name."""

    applied: dict[str, float] = field(default_factory=dict)
    defaults: dict[str, float] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    denies: bool = False
    calls: list[str] = field(default_factory=list)

    def answer(self, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """A page of the answer."""
        assert given["ServiceCode"] == "sagemaker"
        self.calls.append(operation)
        if operation == "ListRequestedServiceQuotaChangeHistory":
            changes = [{"QuotaCode": code(name), "DesiredValue": value} for name, value in self.asked.items()]
            return {"RequestedQuotas": [{**change, "Status": "CASE_OPENED"} for change in changes]}
        quotas = self.applied if operation == "ListServiceQuotas" else self.defaults
        start = int(given.get("NextToken", "0"))
        listed = [{"QuotaName": name, "QuotaCode": code(name), "Value": value} for name, value in quotas.items()]
        more = {"NextToken": str(start + PAGE)} if start + PAGE < len(listed) else {}
        return {"Quotas": listed[start : start + PAGE], **more}


def code(name: str) -> str:
    """A quota's code, of the kind that AWS has."""
    return f"L-{sum(map(ord, name)):08X}"


@contextmanager
def service_quotas(account: Account) -> Iterator[str]:
    """The service's address, for this account."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = account.answer(self.headers["X-Amz-Target"].rpartition(".")[2], given)
            self.send_response(400 if account.denies else 200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.end_headers()
            denied = {"__type": "AccessDeniedException", "Message": "User is not authorized"}
            self.wfile.write(json.dumps(denied if account.denies else answer).encode())

        def log_request(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
