"""What decides: the forecast of fill, the rounds, and when each is due."""
