"""Each function fed with the events it gets."""
