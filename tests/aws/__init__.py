"""The whole flow on a real AWS account, for whoever allows it."""
