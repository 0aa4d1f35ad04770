"""A disk that may fill: room kept free, writes that wait for room, and who is told."""
