"""SageMaker's quotas in an account, beside what a run needs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .finding import Finding, failed, ok, warning
from .plan import Need

SERVICE = "sagemaker"
PERMISSIONS = "servicequotas:ListServiceQuotas and servicequotas:ListAWSDefaultServiceQuotas"
CONSOLES = {"cn": "console.amazonaws.cn", "us-gov": "console.amazonaws-us-gov.com"}
UNDER_WAY = {"PENDING", "CASE_OPENED"}
CONSIDERED = "AWS is considering your request for {:,.0f}: wait until it is granted."
SPELLINGS = (
    (re.compile(r"\b(number of|total|max|maximum|allowed|all|the|hpo|hyperparameter)\b", re.IGNORECASE), ""),
    (re.compile(r"\bconcurrent\b", re.IGNORECASE), "parallel"),
    (re.compile(r"\s+"), " "),
)
"""How the same quota is spelt on AWS's pages and by its API."""


@dataclass(frozen=True)
class Quota:
    """A quota's value in this account and region, its code, and the value that was asked for, if AWS considers it."""

    code: str
    value: float
    asked: float | None = None


def known_quotas(client: Any, wanted: list[Need]) -> dict[str, Quota]:
    """The account's quotas by name, as `key` spells it: those applied, and AWS's defaults if a needed one is not."""
    found = quotas_of(client, "list_service_quotas")
    if any(need.certain and need.usual is None and key(need.quota) not in found for need in wanted):
        found = {**quotas_of(client, "list_aws_default_service_quotas"), **found}
    return found


def quotas_of(client: Any, operation: str) -> dict[str, Quota]:
    pages = client.get_paginator(operation).paginate(ServiceCode=SERVICE, PaginationConfig={"PageSize": 100})
    listed = (quota for page in pages for quota in page["Quotas"] if "Value" in quota)
    return {key(quota["QuotaName"]): Quota(quota["QuotaCode"], quota["Value"]) for quota in listed}


def requested(client: Any) -> dict[str, float]:
    """The increases that AWS considers, by the quota's code."""
    pages = client.get_paginator("list_requested_service_quota_change_history").paginate(ServiceCode=SERVICE)
    asked = (change for page in pages for change in page["RequestedQuotas"])
    return {change["QuotaCode"]: change["DesiredValue"] for change in asked if change["Status"] in UNDER_WAY}


def compare(need: Need, quotas: Mapping[str, Quota], asked: Mapping[str, float], region: str) -> Finding:
    """Whether a quota is as large as a run needs."""
    names = [name for name in (need.quota, *need.others) if key(name) in quotas]
    if not names:
        return unlisted(need, region)
    name = next((name for name in names if quotas[key(name)].value >= need.wanted), names[0])
    quota = quotas[key(name)]
    sentence = f"{name}: {quota.value:,.0f}, and a run needs {need.wanted}."
    if quota.value >= need.wanted:
        return ok("Quota", sentence)
    if asked.get(quota.code, 0) >= need.wanted:
        return failed("Quota", sentence, CONSIDERED.format(asked[quota.code]))
    lower = f", or lower {need.lowered_by}" if need.lowered_by and quota.value >= 1 else ""
    return failed("Quota", sentence, f"Ask for more{lower}: {link(region, quota.code)}")


def unlisted(need: Need, region: str) -> Finding:
    """The finding about a quota that AWS does not list."""
    if need.usual is not None and need.wanted <= need.usual:
        return ok("Quota", f"{need.quota}: {need.usual} by default, and a run needs {need.wanted}.")
    sentence = f"AWS lists no quota called '{need.quota}', of which a run needs {need.wanted}."
    return warning("Quota", sentence, f"Look for it at {link(region)}")


def compared(
    needs: list[Need], quotas: Mapping[str, Quota], asked: Mapping[str, float], region: str
) -> Iterator[Finding]:
    """The same for all that a run needs."""
    limiting = (need for need in needs if need.certain or key(need.quota) in quotas)
    yield from (compare(need, quotas, asked, region) for need in limiting)


def key(name: str) -> str:
    """A quota's name without the words that differ between AWS's pages and its API."""
    for pattern, instead in SPELLINGS:
        name = pattern.sub(instead, name)
    return name.strip().lower()


def link(region: str, code: str = "") -> str:
    """Where the console raises a quota, or lists all."""
    console = next((host for start, host in CONSOLES.items() if region.startswith(start)), "console.aws.amazon.com")
    page = f"https://{region}.{console}/servicequotas/home/services/{SERVICE}/quotas"
    return f"{page}/{code}" if code else page
