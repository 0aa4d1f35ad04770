"""Draws the pictures of docs/architecture.md from template.yaml and from the code: `make architecture`."""
