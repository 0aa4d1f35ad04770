"""AWS for one machine: template.yaml deployed to MiniStack, with SageMaker, e-mail and a gate of our own."""
