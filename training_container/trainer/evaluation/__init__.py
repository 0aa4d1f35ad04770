"""From trials to the one model that is used: chosen, calibrated, scored, explained, exported, reported."""
