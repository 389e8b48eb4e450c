"""`voirie broker`: who may speak to the broker, and the files that tell it."""
