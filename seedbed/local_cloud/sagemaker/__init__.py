"""A SageMaker endpoint for one machine, whose processing, training, tuning and transform jobs are real processes."""
