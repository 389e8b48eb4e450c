"""`voirie backup` and `voirie restore`: everything that an installation knows, in a folder that checks itself."""
