"""Dragino LDDS75, LDDS45, LDDS20 and DDS75-LB, DDS45-LB, DDS20-LB: what each product sees.

The 75 sees 28 cm to 7.5 m and the 45 3 cm to 4.5 m of air. The 20 is glued under a tank and measures 2 cm to 2 m of
liquid through its bottom, so that its "distance" grows with the contents; its nearest 20 mm are also what firmware
writes for an invalid reading (user manuals).
"""

from __future__ import annotations

from ingest.decoders.decoded import DeviceModel
from ingest.decoders.dragino_frames import Product, decoder_of
from ingest.decoders.dragino_objects import object_reader_of


def _model(product: Product, *, temperature_known: bool = True) -> DeviceModel:
    return DeviceModel(
        name=f"dragino-{product.name.lower()}",
        title=f"Dragino {product.name}",
        measures="level",
        decode=decoder_of(product),
        source=f"dragino/dragino-end-node-decoder, {product.name}; wiki.dragino.com, {product.name} user manual",
        read_object=object_reader_of(product, temperature_known=temperature_known),
    )


MODELS = (
    _model(Product(name="LDDS75", nearest_mm=280, farthest_mm=7500, logs=False)),
    _model(Product(name="LDDS45", nearest_mm=30, farthest_mm=4500, logs=False)),
    _model(Product(name="LDDS20", nearest_mm=20, farthest_mm=2000, logs=False, from_below=True)),
    _model(Product(name="DDS75-LB", nearest_mm=280, farthest_mm=7500, logs=True), temperature_known=False),
    _model(Product(name="DDS45-LB", nearest_mm=30, farthest_mm=4500, logs=True)),
    _model(Product(name="DDS20-LB", nearest_mm=20, farthest_mm=2000, logs=True, from_below=True)),
)
