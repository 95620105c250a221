"""The training loop that every recipe and every maker shares."""
