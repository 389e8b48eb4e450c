"""HTTP: one router per user or noun, live events, and the pages. `create_app` in `app` puts them together."""
