"""A job on several instances: each is a host with a process, or a container, of its own."""
