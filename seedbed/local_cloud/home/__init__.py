"""The home: the folder in which a local cloud keeps its state, marked as ours and locked while it is used."""
