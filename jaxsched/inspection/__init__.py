"""Looking at a schedule before a run: its phases, its numbers, its differences."""
