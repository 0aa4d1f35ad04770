"""E-mail on a laptop: kept in a Maildir, and sent by SMTP where a server is configured."""
