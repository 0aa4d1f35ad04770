"""Job data between S3 and a job's directories."""
