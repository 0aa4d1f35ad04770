"""How commands talk to a person: what may be printed, where it goes, and how each error ends in a sentence."""
