"""Processing jobs: their operations, and the jobs themselves."""
