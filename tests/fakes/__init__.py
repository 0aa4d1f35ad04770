"""The ports in memory: real classes that keep their ports' promises, as tests/adapters proves."""
