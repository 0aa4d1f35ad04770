"""What each function does: one step a module, given its ports, returning domain objects."""
