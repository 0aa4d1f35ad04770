"""One trial: what it trains, on which batches, and the loop of its epochs."""
