"""What AWS's errors mean to a person, each as a sentence that says what to do next."""

from urllib.parse import urlsplit

from boto3.exceptions import Boto3Error
from botocore import exceptions as botocore
from botocore.exceptions import BotoCoreError, ClientError

from .hints import seedbed
from .text import printable

SIGN_IN = "Sign in with `aws sso login`, or give your keys with `aws configure`; then run this again."
EXPIRED = f"Your AWS credentials have expired. {SIGN_IN}"
NOT_ACCEPTED = f"AWS does not accept your credentials. {SIGN_IN}"
TOO_MANY = "AWS takes no more requests for the moment: wait a minute, then run this again."
UNAVAILABLE = "AWS could not answer: wait a minute, then run this again."
WRONG_CLOCK = "This machine's clock is wrong, so AWS refuses its requests: set it, then run this again."
SHORT = "Check the connection, then run this again."

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


def aws_sentence(error: BotoCoreError | ClientError | Boto3Error) -> str:
    """What a person reads instead of an error of boto3."""
    if isinstance(error, ClientError):
        return client_sentence(error)
    for kinds, sentence in BY_KIND:
        if isinstance(error, kinds):
            return sentence
    if isinstance(error, botocore.ProfileNotFound):
        return f"There is no AWS profile {told(error, 'profile')}. Name another in AWS_PROFILE."
    if isinstance(error, botocore.ConfigParseError):
        return f"{told(error, 'path')} can't be read: it is not written as the AWS command line writes it."
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
    if (urlsplit(address).hostname or "") in {"127.0.0.1", "localhost", "::1"}:
        return f"The local cloud at {printable(address)} does not answer. Start it with: {seedbed('up')}"
    return f"AWS can't be reached{f' at {printable(address)}' if address else ''}. {SHORT}"


def told(error: BotoCoreError, name: str) -> str:
    return printable(error.kwargs.get(name, ""))


def sentence_of(text: str) -> str:
    """The text on one line, with a full stop."""
    line = printable(" ".join(text.split()))
    return line if line.endswith((".", "!", "?")) else f"{line}."
