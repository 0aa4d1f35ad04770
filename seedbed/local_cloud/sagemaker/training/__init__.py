"""Training jobs: the calls, and the job itself."""
