"""What the functions do: one step per module, which works on ports and returns domain objects."""
