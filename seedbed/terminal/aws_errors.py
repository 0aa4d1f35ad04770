"""What AWS's errors mean to a person, each as a sentence that says what to do next."""

import re
from urllib.parse import urlsplit

from boto3.exceptions import Boto3Error
from botocore import exceptions as botocore
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from .hints import seedbed
from .text import printable

SIGN_IN = "Sign in with `aws sso login`, or give your keys with `aws configure`; then run this again."
EXPIRED = f"Your AWS credentials have expired. {SIGN_IN}"
NOT_ACCEPTED = f"AWS does not accept your credentials. {SIGN_IN}"
TOO_MANY = "AWS takes no more requests for the moment: wait a minute, then run this again."
UNAVAILABLE = "AWS could not answer: wait a minute, then run this again."
WRONG_CLOCK = "This machine's clock is wrong, so AWS refuses its requests: set it, then run this again."
SHORT = "Check the connection, then run this again."
NO_REGION = "There is no AWS region {} that this release knows. Name another in AWS_REGION."
REGION_IN_HOST = re.compile(r"\.([a-z]+(?:-[a-z]+)+-\d+)\.amazonaws\.")

BY_CODE = {
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"), EXPIRED),
    **dict.fromkeys(
        (
            "AuthFailure",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "InvalidToken",
            "MissingAuthenticationToken",
            "NotAuthorized",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        NOT_ACCEPTED,
    ),
    **dict.fromkeys(
        (
            "LimitExceededException",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "TooManyRequestsException",
        ),
        TOO_MANY,
    ),
    **dict.fromkeys(("InternalError", "InternalFailure", "ServiceUnavailable", "ServiceException"), UNAVAILABLE),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestInTheFuture"), WRONG_CLOCK),
}
BY_KIND: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((botocore.NoCredentialsError, botocore.NoAuthTokenError), f"No AWS credentials were found. {SIGN_IN}"),
    ((botocore.PartialCredentialsError,), f"Your AWS credentials are incomplete. {SIGN_IN}"),
    ((botocore.TokenRetrievalError, botocore.SSOError), EXPIRED),
    ((botocore.NoRegionError,), "No AWS region was given. Name the stack's region in AWS_REGION, then run this again."),
    ((botocore.ProxyConnectionError,), f"The proxy for AWS can't be reached. {SHORT}"),
    ((botocore.SSLError,), "The connection to AWS is not trusted: name your network's certificates in AWS_CA_BUNDLE."),
)
NAMING: dict[type[BotoCoreError], tuple[str, str]] = {
    botocore.ProfileNotFound: ("profile", "There is no AWS profile {}. Name another in AWS_PROFILE."),
    botocore.InvalidRegionError: ("region_name", NO_REGION),
    botocore.ConfigParseError: ("path", "{} can't be read: it is not written as the AWS command line writes it."),
}
"""What an error names, and the sentence about it."""


def aws_sentence(error: BotoCoreError | ClientError | Boto3Error) -> str:
    """What a person reads instead of an error of boto3."""
    if isinstance(error, ClientError):
        return client_sentence(error)
    for kinds, sentence in BY_KIND:
        if isinstance(error, kinds):
            return sentence
    for kind, (name, sentence) in NAMING.items():
        if isinstance(error, kind):
            return sentence.format(printable(error.kwargs.get(name, "")))
    if isinstance(error, (botocore.ConnectionError, botocore.HTTPClientError, Boto3Error)):
        return unreachable(str(getattr(error, "kwargs", {}).get("endpoint_url", "")))
    return sentence_of(f"AWS can't be asked: {error}")


def client_sentence(error: ClientError) -> str:
    """What a person reads instead of an error that AWS, or the local cloud, answered."""
    said = error.response.get("Error", {})
    code, message = said.get("Code", ""), said.get("Message", "")
    if code in BY_CODE:
        return BY_CODE[code]
    if code.startswith(("AccessDenied", "Unauthorized", "Forbidden")) or code == "403":
        return sentence_of(f"You may not do that on AWS: {message or error.operation_name}")
    return sentence_of(message or f"{error.operation_name} failed ({code or 'no reason given'})")


def unreachable(address: str) -> str:
    """The sentence about an address that does not answer."""
    if is_local(address):
        return f"The local cloud at {printable(address)} does not answer. Start it with: {seedbed('up')}"
    region = REGION_IN_HOST.search(urlsplit(address).hostname or "")
    if region and not is_region(region[1]):
        return NO_REGION.format(region[1])
    return f"AWS can't be reached{f' at {printable(address)}' if address else ''}. {SHORT}"


def is_local(address: str) -> bool:
    """Whether the address is of this machine, as a local cloud's is."""
    return (urlsplit(address).hostname or "") in {"127.0.0.1", "localhost", "::1"}


def is_region(name: str) -> bool:
    """Whether boto3 knows an AWS region of this name."""
    session = get_session()
    partitions = session.get_available_partitions()
    return any(name in session.get_available_regions("cloudformation", partition) for partition in partitions)


def sentence_of(text: str) -> str:
    """The text on one line, with a full stop."""
    line = printable(" ".join(text.split()))
    return line if line.endswith((".", "!", "?")) else f"{line}."
