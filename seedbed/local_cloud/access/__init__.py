"""Access to the local cloud: the home's access key, signatures, and the gate that checks each request."""
