"""Whether a request is signed: AWS Signature Version 4 in its headers or its query, or S3's older presigned URLs.

Sources: "Signature Version 4 signing process" in AWS's IAM guide, "Signing and authenticating REST requests" in S3's.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.auth import HmacV1Auth
from botocore.awsrequest import HTTPHeaders
from botocore.credentials import Credentials
from ministack.core import sigv4
from ministack.core.sigv4 import HeaderSignature

SKEW = timedelta(minutes=15)
LONGEST_PRESIGNED = timedelta(days=7)
ALGORITHM = "AWS4-HMAC-SHA256"
LOCAL_NAMES = {"127.0.0.1", "localhost", "host.docker.internal"}
NO_SUCH_KEY = "UnrecognizedClientException"

SecretOf = Callable[[str, str], str | None]
"""The secret that belongs to an access key and a session token (empty for none); None where there is no such key."""


class Unsigned(Exception):
    """A request that carries no signature to rely on. `code` is AWS's name for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Request:
    """A request as it came: the path and the query still encoded, header names in lower case, values of a repeated
    header joined by commas."""

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]

    @cached_property
    def parameters(self) -> dict[str, list[str]]:
        return parse_qs(self.query, keep_blank_values=True)

    def parameter(self, name: str) -> str:
        """A query parameter's first value, empty where there is none."""
        return self.parameters.get(name, [""])[0]

    @property
    def signed_in_headers(self) -> bool:
        return "authorization" in self.headers


@dataclass(frozen=True)
class Signature:
    """What a request claims, its key known: only `check` tells whether the claim holds."""

    request: Request
    claim: HeaderSignature
    secret: str
    presigned: bool

    @property
    def body_digest(self) -> str | None:
        """The SHA-256 of the body, in hex, where the headers name it; None where they don't."""
        named = self.request.headers.get("x-amz-content-sha256", "")
        return named if len(named) == 64 else None

    @property
    def needs_body(self) -> bool:
        """Whether the signature covers the body by itself or by the signatures of its chunks, not by a header."""
        named = self.request.headers.get("x-amz-content-sha256", "")
        by_url = self.presigned and self.claim.service == "s3"
        return not by_url and (not named or named.startswith("STREAMING-AWS4-HMAC"))

    def check(self, body: bytes) -> None:
        """Raises Unsigned unless key, request and body belong together."""
        request = self.request
        arguments = (request.method, request.raw_path, request.parameters, request.headers, body)
        failure = sigv4.header_signature_failure(self.claim, self.secret, *arguments, presigned=self.presigned)
        if failure and not self._signed_as_sent(body):
            raise Unsigned(*failure)

    def check_digest(self, body: bytes) -> None:
        """Raises Unsigned where the body is not the one whose digest was signed."""
        if self.body_digest and not hmac.compare_digest(hashlib.sha256(body).hexdigest(), self.body_digest):
            raise Unsigned("XAmzContentSHA256Mismatch", "The body is not the one that was signed.")

    def _signed_as_sent(self, body: bytes) -> bool:
        """curl up to 8.2 signs the path as it sends it, where AWS's rule encodes it a second time."""
        claim, headers = self.claim, self.request.headers
        if self.presigned or claim.service == "s3" or claim.date_stamp != claim.amz_date[:8]:
            return False
        canonical = "\n".join(
            [
                self.request.method,
                self.request.raw_path,
                sigv4.build_canonical_query_string(self.request.parameters, exclude=()),
                sigv4.build_canonical_headers(headers, claim.signed_headers),
                claim.signed_headers,
                headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest(),
            ]
        )
        text = sigv4.build_string_to_sign(claim.amz_date, claim.date_stamp, claim.region, claim.service, canonical)
        made = sigv4.calculate_signature(self.secret, claim.date_stamp, claim.region, claim.service, text)
        return hmac.compare_digest(made, claim.signature)


def claimed_signature(request: Request, secret_of: SecretOf, now: datetime) -> Signature:
    """The request's claim to be signed with a known key, in time, with all of its headers that matter.

    Raises Unsigned for a request without one.
    """
    in_query = "X-Amz-Signature" in request.parameters or "X-Amz-Credential" in request.parameters
    if request.signed_in_headers == in_query:
        why = "is signed twice" if in_query else "is not signed"
        raise Unsigned("MissingAuthenticationToken", f"The request {why}.")
    if in_query:
        claim = sigv4.parse_query_signature(request.parameters)
        algorithm, token = request.parameter("X-Amz-Algorithm"), request.parameter("X-Amz-Security-Token")
    else:
        claim = sigv4.parse_header_signature(request.headers)
        algorithm = request.headers["authorization"].partition(" ")[0]
        token = request.headers.get("x-amz-security-token", "")
    if isinstance(claim, tuple):
        raise Unsigned(*claim)
    if algorithm != ALGORITHM or claim.region_set is not None:
        raise Unsigned("UnsupportedSignature", f"The signature must be {ALGORITHM}.")
    _check_time(claim.amz_date, request.parameter("X-Amz-Expires") if in_query else None, now)
    _check_headers(request, claim.signed_headers.split(";"))
    return Signature(request, claim, _secret(claim.access_key_id, token, secret_of), presigned=in_query)


def is_older_presigned(request: Request) -> bool:
    """Whether it claims to be one of S3's presigned URLs of Signature Version 2, which boto3 makes by default."""
    return not request.signed_in_headers and {"AWSAccessKeyId", "Signature", "Expires"} <= set(request.parameters)


def check_older_presigned(request: Request, secret_of: SecretOf, now: datetime) -> None:
    """Raises Unsigned unless such a URL was made with a known key and is still valid."""
    if request.headers.get("host", "").partition(":")[0] not in LOCAL_NAMES:
        raise Unsigned("AccessDenied", "A presigned URL of version 2 names its bucket in the path.")
    expires = request.parameter("Expires")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 12) or int(expires) < now.timestamp():
        raise Unsigned("RequestExpired", "This presigned URL has expired. Make another one.")
    key, token = request.parameter("AWSAccessKeyId"), request.parameter("x-amz-security-token")
    headers: Any = HTTPHeaders()
    for name, value in request.headers.items():
        headers[name] = value
    signer = _SignedUntil(Credentials(key, _secret(key, token, secret_of), token or None), expires)
    made = signer.get_signature(request.method, urlsplit(f"http://host{request.raw_path}?{request.query}"), headers)
    if not hmac.compare_digest(made.encode(), request.parameter("Signature").encode()):
        raise Unsigned("SignatureDoesNotMatch", sigv4.SIGNATURE_MISMATCH)


class _SignedUntil(HmacV1Auth):
    """Signs the time at which a URL expires where a request has its date."""

    def __init__(self, credentials: Credentials, expires: str) -> None:
        super().__init__(credentials)
        self._expires = expires

    def _get_date(self) -> str:
        return self._expires


def _secret(key: str, token: str, secret_of: SecretOf) -> str:
    secret = secret_of(key, token)
    if secret is None:
        raise Unsigned(NO_SUCH_KEY, f"There is no access key {key[:32]!r} here.")
    return secret


def _check_time(amz_date: str, expires: str | None, now: datetime) -> None:
    try:
        age = now - datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lasts = SKEW if expires is None else timedelta(seconds=int(expires))
    except (ValueError, OverflowError):
        raise Unsigned("IncompleteSignature", "The signature's date or its time of expiry can't be read.") from None
    if not timedelta() < lasts <= LONGEST_PRESIGNED:
        raise Unsigned("IncompleteSignature", "X-Amz-Expires must lie between 1 second and 7 days.")
    if not -SKEW <= age <= lasts:
        raise Unsigned("RequestTimeTooSkewed", "The request was signed too long ago, or the clocks differ.")


def _check_headers(request: Request, signed: list[str]) -> None:
    """The host and all that AWS gives a meaning to must be among what was signed."""
    meaningful = {name for name in request.headers if name.startswith("x-amz-")} | {"host"}
    missing = sorted(meaningful - set(signed))
    if missing:
        raise Unsigned("SignatureDoesNotMatch", f"These headers were not signed: {', '.join(missing)}.")
