"""Advice on delivery areas: which are too few, too many or at wrong hours; chosen together, and played before shown."""
