"""From trials to the model that is used: chooses, calibrates, scores, explains, exports and reports it."""
