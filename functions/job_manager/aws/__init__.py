"""The ports on AWS: thin adapters over boto3 clients."""
