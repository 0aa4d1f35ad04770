"""The page: what runs, models and datasets are, in a browser, from what the API answers."""
