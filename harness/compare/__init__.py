"""Is the one as good as the other? Two runs, two variants, or a run and a policy."""
