"""Compares the tuning endpoint's search with other libraries on recorded tables."""
