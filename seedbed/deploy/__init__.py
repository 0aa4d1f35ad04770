"""Deploys Seedbed to an AWS account, with the training image built there, and takes it away again."""
