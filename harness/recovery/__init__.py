"""How much of the reference is left in a model that was made cheaper than it."""
