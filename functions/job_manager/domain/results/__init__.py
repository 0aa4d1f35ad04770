"""What the jobs of a run measured: trials, scores, and the evaluation on the test split."""
