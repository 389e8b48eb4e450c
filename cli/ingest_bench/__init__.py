"""What `voirie bench ingest` is made of: services of its own, publishers, a bare subscriber and real collectors."""
