"""From an MQTT message to a stored reading: topic, envelope, decoder, quality, then one transaction for a batch.

`intake` decides what a message is worth and knows neither broker nor database; `collector` runs it between the two.
"""
