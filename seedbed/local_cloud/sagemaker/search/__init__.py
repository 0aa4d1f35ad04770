"""Search spaces, the strategies that choose hyperparameters from them, and early stopping."""
