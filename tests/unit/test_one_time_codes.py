"""Second factors: RFC 6238's own figures, no code twice, and recovery codes as people copy them."""

from __future__ import annotations

from base64 import b32encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import one_time_codes
from storage.errors import InputError

# The key of RFC 6238, appendix B, for SHA-1.
SECRET = b32encode(b"12345678901234567890").decode()
MOMENTS = st.integers(min_value=1_500_000_000, max_value=3_800_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


@pytest.mark.parametrize(
    ("at_s", "eight_digits"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_codes_are_those_of_the_rfc(at_s: int, eight_digits: str):
    moment = datetime.fromtimestamp(at_s, UTC)
    # A code of six digits is the end of the code of eight: the same number, modulo a smaller power of ten.
    assert one_time_codes.code_at(SECRET, one_time_codes.step_at(moment)) == eight_digits[-6:]


@given(now=MOMENTS, away=st.integers(min_value=-5, max_value=5))
def test_a_code_is_taken_one_step_around_its_own(now: datetime, away: int):
    step = one_time_codes.step_at(now) + away
    found = one_time_codes.accepted_step(SECRET, one_time_codes.code_at(SECRET, step), now=now, last_step=None)
    if abs(away) <= 1:
        assert found == step
    else:
        assert found != step


@given(now=MOMENTS, later_s=st.integers(min_value=0, max_value=90))
def test_no_code_is_taken_twice(now: datetime, later_s: int):
    secret = one_time_codes.new_secret()
    code = one_time_codes.code_at(secret, one_time_codes.step_at(now))
    used = one_time_codes.accepted_step(secret, code, now=now, last_step=None)
    assert used is not None
    again = one_time_codes.accepted_step(secret, code, now=now + timedelta(seconds=later_s), last_step=used)
    assert again is None or one_time_codes.code_at(secret, again) == code != one_time_codes.code_at(secret, used)


def test_a_code_seen_before_the_last_one_is_worth_nothing():
    now = datetime(2026, 11, 28, 12, 0, 10, tzinfo=UTC)
    step = one_time_codes.step_at(now)
    older = one_time_codes.code_at(SECRET, step - 1)
    assert one_time_codes.accepted_step(SECRET, older, now=now, last_step=None) == step - 1
    assert one_time_codes.accepted_step(SECRET, older, now=now, last_step=step) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34 5", "-12345", "1e5000"])
def test_what_is_no_code_is_refused(code: str):
    assert one_time_codes.accepted_step(SECRET, code, now=datetime.now(UTC), last_step=None) is None


def test_a_code_may_be_typed_in_groups():
    now = datetime(2026, 11, 28, tzinfo=UTC)
    code = one_time_codes.code_at(SECRET, one_time_codes.step_at(now))
    assert one_time_codes.accepted_step(SECRET, f" {code[:3]} {code[3:]} ", now=now, last_step=None)


def test_a_secret_that_is_none_is_refused():
    with pytest.raises(InputError):
        one_time_codes.code_at("not base 32!", 1)


def test_secrets_are_new_each_time_and_long_enough():
    secrets = {one_time_codes.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {32}  # 160 bits, 5 a letter


def test_the_enrolment_uri_says_what_authenticators_read():
    uri = urlsplit(one_time_codes.enrolment_uri(SECRET, account="amina&co:x", issuer="Voirie, Noisy-le-Grand"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert uri.path.count(":") == 1  # between the issuer and the account alone
    assert parse_qs(uri.query) == {
        "secret": [SECRET],
        "issuer": ["Voirie, Noisy-le-Grand"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }


def test_recovery_codes_are_found_however_they_are_copied():
    codes = one_time_codes.new_recovery_codes()
    kept = {one_time_codes.recovery_hash(code) for code in codes}
    assert len(kept) == one_time_codes.RECOVERY_CODES
    assert None not in kept
    for code in codes:
        for copied in (code.upper(), code.replace("-", " "), code.replace("-", ""), code.replace("1", "l"),
                       code.replace("0", "O"), f"  {code}\n"):  # fmt: skip
            assert one_time_codes.recovery_hash(copied) in kept


@given(st.text(max_size=60))
def test_what_is_no_recovery_code_is_told_apart_without_an_error(text: str):
    kept = one_time_codes.recovery_hash(text)
    assert kept is None or len(kept) == 32
