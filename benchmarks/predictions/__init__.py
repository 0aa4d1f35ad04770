"""Measures how POST /predictions answers: each part in a process of its own."""
