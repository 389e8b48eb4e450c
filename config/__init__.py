"""Settings, read once by the entry points, and the files that outside programs read (broker, streets)."""
