"""What a report on the fill forecast says, as values: a page or a document is made of them elsewhere. Pure.

`trials` forecasts held-out bins; `by_bin`, `calibration` and `drivers` say how wrong that is, where, and by what it is
driven; `examples` shows it; `exposure` and `placement` say where more sensors would help; `whole` puts it together.
"""
