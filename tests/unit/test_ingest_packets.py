"""Packets come out of the stream whole, in order and the same, however TCP cuts it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.packets import PacketReader, ProtocolError, Publication, acknowledgements


def length(value: int) -> bytes:
    encoded = b""
    while True:
        value, digit = divmod(value, 128)
        encoded += bytes((digit | (0x80 if value else 0),))
        if not value:
            return encoded


def publish(topic: bytes, payload: bytes, *, number: int = 7, qos: int = 1, flags: int = 0) -> bytes:
    body = struct.pack(">H", len(topic)) + topic + (struct.pack(">H", number) if qos else b"") + payload
    return bytes((0x30 | qos << 1 | flags,)) + length(len(body)) + body


CONNACK, PINGRESP, SUBACK = b"\x20\x02\x01\x00", b"\xd0\x00", b"\x90\x03\x00\x01\x01"
publications = st.builds(
    Publication,
    topic=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40),
    payload=st.one_of(st.binary(max_size=300), st.binary(min_size=16_384, max_size=16_500)),
    number=st.integers(1, 65_535),
    qos=st.just(1),
)
packets = st.lists(st.one_of(publications, st.sampled_from([CONNACK, PINGRESP, SUBACK])), max_size=12)


@given(packets, st.lists(st.integers(1, 4000), max_size=30))
def test_packets_come_out_however_the_stream_is_cut(sent: list[Publication | bytes], cuts: list[int]):
    stream = b"".join(
        one if isinstance(one, bytes) else publish(one.topic.encode(), one.payload, number=one.number) for one in sent
    )
    reader, messages, others = PacketReader(), [], b""
    for cut in [*cuts, len(stream)]:
        part, stream = stream[:cut], stream[cut:]
        new, rest = reader.feed(part)
        messages += new
        others += rest
    assert messages == [one for one in sent if isinstance(one, Publication)]
    assert others == b"".join(one for one in sent if isinstance(one, bytes))


def test_byte_by_byte():
    stream = CONNACK + publish(b"a/b", b"x" * 200, number=513) + PINGRESP + publish(b"t", b"", number=2)
    reader = PacketReader()
    found = [reader.feed(stream[at : at + 1]) for at in range(len(stream))]
    assert [one for messages, _ in found for one in messages] == [
        Publication("a/b", b"x" * 200, 513, 1),
        Publication("t", b"", 2, 1),
    ]
    assert b"".join(others for _, others in found) == CONNACK + PINGRESP


def test_quality_of_service_0_has_no_number_and_flags_change_nothing():
    stream = publish(b"t", b"zero", qos=0, flags=1) + publish(b"t", b"again", number=9, flags=8)
    assert PacketReader().feed(stream)[0] == [Publication("t", b"zero", 0, 0), Publication("t", b"again", 9, 1)]


def test_a_topic_that_is_no_utf_8_is_kept_readable():
    ((topic, payload, _, _),) = PacketReader().feed(publish(b"a/\xff", b"whole"))[0]
    assert (topic, payload) == ("a/\\xff", b"whole")


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"\x32\xff\xff\xff\xff\x7f", id="a length of five bytes"),
        pytest.param(b"\x32\x04\x00\x09ab", id="a topic longer than its packet"),
        pytest.param(b"\x32\x03\x00\x01a", id="no packet identifier"),
        pytest.param(b"\x32\x01\x00", id="no topic at all"),
        pytest.param(publish(b"t", b"", qos=2), id="QoS 2, which nobody subscribed to"),
        pytest.param(publish(b"t", b"", qos=3), id="QoS 3, which does not exist"),
    ],
)
def test_what_is_no_mqtt_ends_the_connection(stream: bytes):
    with pytest.raises(ProtocolError):
        PacketReader().feed(stream)


def test_acknowledgements_carry_the_numbers_in_order():
    assert acknowledgements([1, 513, 65_535]) == b"\x40\x02\x00\x01\x40\x02\x02\x01\x40\x02\xff\xff"
