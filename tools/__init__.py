"""What the project's own files are made with; nothing that is deployed or installed."""
