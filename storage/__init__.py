"""The floor that every process stands on: the domain's types, the errors and the database."""
