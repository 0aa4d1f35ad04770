"""What a run is expected to cost and to take."""
