"""A whole model at work: engines that run it, answers averaged over views, and requests to a served model."""
