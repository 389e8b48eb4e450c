"""What by-laws say of a place at the kerb, and what they say of who stands there. Pure: every room may share it."""
