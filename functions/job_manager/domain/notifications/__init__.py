"""What people and programs are told of a run, as a notification, and a notification as an e-mail."""
