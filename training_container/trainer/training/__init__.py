"""Training of one trial: the network, its batches, and the loop over epochs."""
