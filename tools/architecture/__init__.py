"""Draws docs/images/architecture.svg from template.yaml and from the imports of the code: `make architecture`."""
