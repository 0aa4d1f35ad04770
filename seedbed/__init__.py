"""The `seedbed` command: what people run, and a cloud of its own for their machine."""
