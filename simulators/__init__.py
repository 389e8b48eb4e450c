"""The simulated commune: ground truth on real streets, devices that report it badly, crews that drive it.

Shares no decode code with `ingest`: both were written from the devices' documents, so that one checks the other.
"""
