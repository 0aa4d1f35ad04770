"""The trials of a hyperparameter tuning job, read from SageMaker and written for other tools."""
