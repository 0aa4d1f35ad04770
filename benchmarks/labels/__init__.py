"""Parts of the benchmark of likely wrong labels."""
