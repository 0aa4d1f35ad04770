"""Each adapter held to its port, on an emulated AWS."""
