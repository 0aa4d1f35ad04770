"""The tables that the commands print, whole at any width."""
