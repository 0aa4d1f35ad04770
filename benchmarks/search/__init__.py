"""What a search of the heads' hyperparameters is worth, on unlike data sets."""
