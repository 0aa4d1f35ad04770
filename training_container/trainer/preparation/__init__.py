"""Labelled images → the pack: each file checked, duplicates found, splits made, features extracted."""
