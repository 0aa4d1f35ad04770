"""Asynchronous invocations: accepted, kept in a queue, and answered by objects in S3 and notifications."""
