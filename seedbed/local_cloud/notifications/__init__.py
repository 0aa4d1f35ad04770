"""E-mail on a laptop: kept in a Maildir, and sent by SMTP if a server is configured."""
