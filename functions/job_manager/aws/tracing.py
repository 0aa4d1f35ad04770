"""Traces of the calls to AWS, in X-Ray."""

from aws_lambda_powertools import Tracer


def trace_calls() -> None:
    """Patch boto3 so that each call becomes part of the function's trace. This loads the X-Ray SDK, from a layer."""
    Tracer()
