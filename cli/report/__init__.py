"""`voirie report`: pages for people who decide, made of what `optimise` works out. Self-contained, in French."""
