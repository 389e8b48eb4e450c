"""Rounds made anew around what may not change: by the chef before the day, by events during it."""
