"""Arrays of images in the files of NumPy and pickle, read without running what a pickle names."""
