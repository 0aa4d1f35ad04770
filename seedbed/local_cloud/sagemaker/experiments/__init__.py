"""Experiments, their trials and trial components, and Search."""
