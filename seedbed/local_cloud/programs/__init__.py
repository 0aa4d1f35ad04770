"""What other people's programs need to work with the local cloud unchanged: variables, a role, quick waiters."""
