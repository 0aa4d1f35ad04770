"""Hyperparameter tuning jobs: the calls, AMT's rules, and the loop that starts training jobs."""
