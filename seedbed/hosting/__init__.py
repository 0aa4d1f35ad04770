"""A model on SageMaker hosting: the package that it is registered as, and the serverless endpoint that serves it."""
