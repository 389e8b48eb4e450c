"""Tables of places at the kerb, each in its own form, read whole with every fault. Pure.

`read_places` picks the reader; `storage/place_import.py` takes what was read into a commune.
"""
