"""The trial of the occupancy forecast on anybody's counts or bay sensors.

`table` reads the file, `feeds` finds what is frozen or dead, `field` puts readings on the local clock with a profile
known in advance, `seen` and `unseen` state the two questions, `learner` answers them, `scores` and `evaluate` judge.
"""
