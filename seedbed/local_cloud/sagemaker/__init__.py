"""A SageMaker endpoint for one machine: its processing, training and tuning jobs run as real processes."""
