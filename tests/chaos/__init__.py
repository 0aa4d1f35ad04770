"""The whole job manager under faults: real functions, steps, domain and adapters over an AWS in memory."""
