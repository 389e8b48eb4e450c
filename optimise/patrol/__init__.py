"""Patrols on foot: which checks to make within a time, and in which order (an orienteering problem).

`planner.py` puts it together: walks between the places, a first patrol by insertions and exchanges on exact gains
(`exchange.py`), and OR-Tools' CP-SAT from there (`cpsat.py`).
"""
