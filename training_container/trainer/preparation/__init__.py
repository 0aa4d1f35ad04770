"""Labelled images → the pack: checks files, finds duplicates, makes the splits and extracts features."""
