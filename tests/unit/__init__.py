"""The domain and the steps, with the world in memory."""
