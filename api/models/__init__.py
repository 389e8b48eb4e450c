"""What the API says and hears, one module a noun. Units are in the names; measured, predicted, declared stay apart."""
