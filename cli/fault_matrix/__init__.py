"""The fault matrix: real faults on real services, and a count of what was lost or stored twice."""
