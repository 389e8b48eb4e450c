"""How well the method forecasts on any town's data: files in, figures out, without a database.

The way of the data: `columns` and `table` read rows and refuse bad ones, `town` finds emptyings and leaves frozen runs
aside, `clock` knows local hours and the pace of the week, `moments`, `around` and `describe` put a moment of a bin into
numbers without its levels, `present` with them, `forest` turns numbers into distributions, `conformal` makes their
intervals honest, `simple` holds the baselines, `unsensored` and `sensored` are the protocols, `evaluate` the answer.
"""
