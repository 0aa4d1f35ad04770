"""HTTP → what the best model predicts for the images of a request."""

from typing import Any

from predictor.wiring import service


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request; API Gateway has checked its signature."""
    return service().answer(event, context.get_remaining_time_in_millis() / 1000)
