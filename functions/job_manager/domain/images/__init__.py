"""What prepare found out about single images, and where their thumbnails are."""
