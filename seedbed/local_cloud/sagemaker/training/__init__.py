"""Training jobs: their operations, and the jobs themselves."""
