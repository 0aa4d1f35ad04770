"""How fast the training container is, beside the founding article's recipe and plain Keras."""
