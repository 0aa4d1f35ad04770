"""Seedbed's job manager: uploads in, runs through SageMaker, the best model out."""
