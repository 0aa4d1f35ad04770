"""What to try next: search spaces, and the strategies that choose from them."""
