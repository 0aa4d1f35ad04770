"""Peers that can't be installed beside the others. Each runs in a process of its own environment: see serve."""
