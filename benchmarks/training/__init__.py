"""How fast the training container is, compared with the founding article's recipe and plain Keras."""
