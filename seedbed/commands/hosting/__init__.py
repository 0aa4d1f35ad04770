"""Commands about models on SageMaker hosting."""
