"""Checks of this machine, and of a stack on AWS, each with what it found and what to do about it."""
