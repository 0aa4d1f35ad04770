"""Runs whole models: engines, predictions averaged over views, and the requests of a served model."""
