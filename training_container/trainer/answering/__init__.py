"""From a request to its answer, for every way in which a model is asked; imports neither Keras nor a web server."""
