"""The pages: each asks the API, builds its view and renders its template."""
