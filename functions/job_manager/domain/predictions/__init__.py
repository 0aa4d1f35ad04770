"""What a run's model predicts for each test image, and two models on the same images."""
