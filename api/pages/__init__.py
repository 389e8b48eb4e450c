"""Pages that people open: their language, their addresses and how a template becomes an answer."""
