"""Pickled arrays of images, read without running what a pickle names."""
