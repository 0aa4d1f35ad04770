"""The home: the folder where a local cloud keeps its state, with a mark, and a lock while it is in use."""
