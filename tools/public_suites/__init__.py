"""Public suites and programs that use SageMaker, run against `seedbed sagemaker`, and the page that says what came."""
