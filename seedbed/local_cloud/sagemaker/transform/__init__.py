"""Batch transform: jobs that send objects in S3 to a model's container, and keep what it answers."""
