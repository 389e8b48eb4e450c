"""The occupancy forecast in service: the chance of each bay and space, and how many of a street or car park are free.

`history` holds what sensors told, `usual` what a week is like, `questions` what is known of a bay when it is asked for,
`trees` and `model` answer, `hidden` answers for bays without a sensor, `counts` adds bays up, `learning` learns and
scores all of it, `serving` applies it to the present; `job` is the rim.
"""
