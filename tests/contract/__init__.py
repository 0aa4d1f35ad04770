"""What the parts promise one another."""
