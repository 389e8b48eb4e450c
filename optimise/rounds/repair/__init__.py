"""The rest of a round made anew when something happens on it, close to what its crew knows."""
