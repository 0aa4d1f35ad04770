"""The ports in memory: tests/adapters checks that they keep their ports' promises."""
