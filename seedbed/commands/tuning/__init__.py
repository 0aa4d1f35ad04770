"""Commands about tuning jobs, a run's or of one's own."""
