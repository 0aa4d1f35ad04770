"""A disk that may fill up: reserved room, refused writes, and notifications."""
