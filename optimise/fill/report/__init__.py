"""What a report on the fill forecast says, as values: a page or a document is made of them elsewhere. Pure.

`town` fits the model and forecasts the past, `tried` gives these forecasts their intervals; `by_bin`, `calibration` and
`drivers` say how wrong they are, where, and by what they are driven; `examples` shows some; `rounds`
says what it means for a round; `surprise`, `exposure` and
`placement` say where more sensors would help; `whole` puts it together.
"""
