"""The parts of the benchmark of scale."""
