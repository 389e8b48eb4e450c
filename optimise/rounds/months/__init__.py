"""Months of service, played: what a policy of rounds does to kilometres and overflows over a season, not on one day.

`town` is what is true and what the town has, as arrays; `street` keeps the account of every litre; `knowledge` is
what the product was told so far; `policies` say what each day is worth a stop; `play` drives the days with the
product's own problem, engine and checker; `calibrate` turns each policy's one dial until the promised service is kept;
`evaluate` compares them on the same seeds. Knows no simulator: whoever has a town, hands it over.
"""
