"""How far a run is: its state by the API, and what SageMaker and the jobs' logs tell beyond that."""
