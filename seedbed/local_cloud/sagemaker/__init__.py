"""A SageMaker endpoint for one machine: its processing, training and tuning jobs run as real processes."""

from .app import SageMaker

__all__ = ["SageMaker"]
