"""How full every street bin will be, with or without a sensor, and how sure that is.

The way of the data: `training` puts levels and emptyings on an hourly grid (`readings` finds the emptyings), `pace`
learns when waste comes, `rates` how much of it at each bin (`features`, `crews` and neighbours speak for bins without
a sensor), `model` integrates both since the last emptying, `intervals` says how wrong that is on bins that the model
never saw (`backtest`), `job` stores it.
"""
