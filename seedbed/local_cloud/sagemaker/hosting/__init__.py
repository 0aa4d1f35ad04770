"""Models behind HTTP: endpoints whose containers run on this machine, and their invocations."""
