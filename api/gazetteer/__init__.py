"""Streets, addresses and places of a commune by their names, so that no one else is asked where somebody goes."""
