"""How full every street bin will be, with or without a sensor, and how sure that is.

The way of the data: `training` puts levels and emptyings on an hourly grid (`readings` finds the emptyings), `pace`
learns when waste comes, `rates` how much of it at each bin (`features`, `crews` and neighbours speak for bins without
a sensor), `calendar` and `day_effects` which days are not like others, `model` integrates them since the last emptying,
`intervals` says how wrong that is on bins that the model never saw (`backtest`). `registry` trains, tries and keeps
models, `job` stores what they forecast, `watch` judges it a day later (`drift`).
"""
