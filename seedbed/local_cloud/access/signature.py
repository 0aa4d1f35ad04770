"""Checks signatures: AWS Signature Version 4 in the headers or the query, and S3's presigned URLs of Version 2.

Sources: "Signature Version 4 signing process" in AWS's IAM guide; "Signing and authenticating REST requests" in S3's.
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
MAX_PRESIGNED = timedelta(days=7)
ALGORITHM = "AWS4-HMAC-SHA256"
LOCAL_NAMES = {"127.0.0.1", "localhost", "host.docker.internal"}
NO_SUCH_KEY = "UnrecognizedClientException"

SecretOf = Callable[[str, str], str | None]
"""The secret key of an access key and a session token (empty if there is none); None if the key does not exist."""


class RequestRefused(Exception):
    """The request is not properly signed, or not allowed at all. `code` is AWS's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Request:
    """A request as received.

    The path and the query are still encoded, header names are in lower case, and the values of a repeated header are
    joined by commas.
    """

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]

    @cached_property
    def parameters(self) -> dict[str, list[str]]:
        return parse_qs(self.query, keep_blank_values=True)

    def parameter(self, name: str) -> str:
        """The first value of a query parameter, empty if it is missing."""
        return self.parameters.get(name, [""])[0]

    @property
    def signed_in_headers(self) -> bool:
        return "authorization" in self.headers


@dataclass(frozen=True)
class Signature:
    """A signature made with a known key. It is not verified before `check` returns."""

    request: Request
    claim: HeaderSignature
    secret: str
    presigned: bool

    @property
    def body_digest(self) -> str | None:
        """The SHA-256 of the body that the headers state, in hex; None if they don't."""
        named = self.request.headers.get("x-amz-content-sha256", "")
        return named if len(named) == 64 else None

    @property
    def needs_body(self) -> bool:
        """Whether only the body completes the check: no header has its digest, or it is signed in chunks."""
        named = self.request.headers.get("x-amz-content-sha256", "")
        by_url = self.presigned and self.claim.service == "s3"
        return not by_url and (not named or named.startswith("STREAMING-AWS4-HMAC"))

    def check(self, body: bytes) -> None:
        """Raises RequestRefused if the signature does not match the key, the request and the body."""
        request = self.request
        arguments = (request.method, request.raw_path, request.parameters, request.headers, body)
        failure = sigv4.header_signature_failure(self.claim, self.secret, *arguments, presigned=self.presigned)
        if failure and not self._signed_as_sent(body):
            raise RequestRefused(*failure)

    def check_digest(self, body: bytes) -> None:
        """Raises RequestRefused if the body does not have the digest that was signed."""
        if self.body_digest and not hmac.compare_digest(hashlib.sha256(body).hexdigest(), self.body_digest):
            raise RequestRefused("XAmzContentSHA256Mismatch", "The body is not the one that was signed.")

    def _signed_as_sent(self, body: bytes) -> bool:
        """Whether it is signed as by curl up to 8.2: over the path as sent, which AWS would encode once more."""
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
    """The request's signature, not verified yet.

    Raises RequestRefused unless there is exactly one, made with a known key, still valid, and covering every header
    that matters.
    """
    in_query = "X-Amz-Signature" in request.parameters or "X-Amz-Credential" in request.parameters
    if request.signed_in_headers == in_query:
        why = "is signed twice" if in_query else "is not signed"
        raise RequestRefused("MissingAuthenticationToken", f"The request {why}.")
    if in_query:
        claim = sigv4.parse_query_signature(request.parameters)
        algorithm, token = request.parameter("X-Amz-Algorithm"), request.parameter("X-Amz-Security-Token")
    else:
        claim = sigv4.parse_header_signature(request.headers)
        algorithm = request.headers["authorization"].partition(" ")[0]
        token = request.headers.get("x-amz-security-token", "")
    if isinstance(claim, tuple):
        raise RequestRefused(*claim)
    if algorithm != ALGORITHM or claim.region_set is not None:
        raise RequestRefused("UnsupportedSignature", f"The signature must be {ALGORITHM}.")
    _check_time(claim.amz_date, request.parameter("X-Amz-Expires") if in_query else None, now)
    _check_headers(request, claim.signed_headers.split(";"))
    return Signature(request, claim, _secret(claim.access_key_id, token, secret_of), presigned=in_query)


def is_presigned_v2(request: Request) -> bool:
    """Whether it looks like S3's presigned URL of Signature Version 2, which boto3 makes by default."""
    return not request.signed_in_headers and {"AWSAccessKeyId", "Signature", "Expires"} <= set(request.parameters)


def check_presigned_v2(request: Request, secret_of: SecretOf, now: datetime) -> None:
    """Raises RequestRefused unless a presigned URL of Version 2 was made with a known key and is still valid."""
    if request.headers.get("host", "").partition(":")[0] not in LOCAL_NAMES:
        raise RequestRefused("AccessDenied", "A presigned URL of version 2 names its bucket in the path.")
    expires = request.parameter("Expires")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 12) or int(expires) < now.timestamp():
        raise RequestRefused("RequestExpired", "This presigned URL has expired. Make another one.")
    key, token = request.parameter("AWSAccessKeyId"), request.parameter("x-amz-security-token")
    headers: Any = HTTPHeaders()
    for name, value in request.headers.items():
        headers[name] = value
    signer = _SignedUntil(Credentials(key, _secret(key, token, secret_of), token or None), expires)
    made = signer.get_signature(request.method, urlsplit(f"http://host{request.raw_path}?{request.query}"), headers)
    if not hmac.compare_digest(made.encode(), request.parameter("Signature").encode()):
        raise RequestRefused("SignatureDoesNotMatch", sigv4.SIGNATURE_MISMATCH)


class _SignedUntil(HmacV1Auth):
    """Signs the time at which a URL expires in the place of a request's date."""

    def __init__(self, credentials: Credentials, expires: str) -> None:
        super().__init__(credentials)
        self._expires = expires

    def _get_date(self) -> str:
        return self._expires


def _secret(key: str, token: str, secret_of: SecretOf) -> str:
    secret = secret_of(key, token)
    if secret is None:
        raise RequestRefused(NO_SUCH_KEY, f"There is no access key {key[:32]!r} here.")
    return secret


def _check_time(amz_date: str, expires: str | None, now: datetime) -> None:
    try:
        age = now - datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lasts = SKEW if expires is None else timedelta(seconds=int(expires))
    except (ValueError, OverflowError):
        raise RequestRefused("IncompleteSignature", "The signature's date or expiry can't be read.") from None
    if not timedelta() < lasts <= MAX_PRESIGNED:
        raise RequestRefused("IncompleteSignature", "X-Amz-Expires must lie between 1 second and 7 days.")
    if not -SKEW <= age <= lasts:
        raise RequestRefused("RequestTimeTooSkewed", "The request was signed too long ago, or the clocks differ.")


def _check_headers(request: Request, signed: list[str]) -> None:
    """Raises RequestRefused unless the host and every x-amz- header are signed."""
    required = {name for name in request.headers if name.startswith("x-amz-")} | {"host"}
    missing = sorted(required - set(signed))
    if missing:
        raise RequestRefused("SignatureDoesNotMatch", f"These headers were not signed: {', '.join(missing)}.")
