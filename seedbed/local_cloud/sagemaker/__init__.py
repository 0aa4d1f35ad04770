"""A SageMaker endpoint for one machine, whose processing, training and tuning jobs run as real processes."""
