"""The review: what readings mean in the order of events. Pure; `ingest/reviewer.py` reads and writes for it.

Intake judges each reading alone and at once. The review looks at a device's readings on a place one after the other,
and so tells a spike from a filling, a frozen sensor from a quiet night, an emptying from noise. See docs/quality.md.
"""
