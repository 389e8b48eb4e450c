"""A crew's session is good on its own device alone: what a thief of its cookies has, and what dead spots change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some
from joserfc import jwt
from joserfc.jwk import ECKey

from api.app import ApiOptions
from api.device_proof import CHALLENGE_LASTS, ChallengeOverError, Marks, NotProvedError, challenge_in, public_key
from storage.database import Connection
from storage.model import Role
from tests.api.accounts import OURS, log_in, make_account
from tests.api.rows import INSEE
from tests.api.serving import serving

BINS = f"/api/v1/communes/{INSEE}/bins"
PAGE = f"/{INSEE}/tournee"
NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)
PROOF = "voirie_proof"


@pytest.fixture
def url(database_url: str, rows: Connection) -> Iterator[str]:
    make_account(rows, "driver", (INSEE, Role.DRIVER))
    make_account(rows, "chef", (INSEE, Role.DISPATCHER))
    with serving(ApiOptions(database_url=database_url, commune_insee=INSEE), open_to_all=False) as served:
        yield served


@contextmanager
def tablet(url: str, name: str = "driver") -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20, headers=OURS) as client:
        assert log_in(client, name).status_code == 303
        yield client


def new_key() -> ECKey:
    return ECKey.generate_key("P-256")


def challenge(client: httpx.Client) -> str:
    return str(client.post("/appareil/defi").json()["challenge"])


def signed(key: ECKey, challenged: str) -> str:
    return jwt.encode({"alg": "ES256", "typ": "dbsc+jwt"}, {"jti": challenged}, key)


def answer(client: httpx.Client, key: ECKey, challenged: str, *, tell: bool = False) -> httpx.Response:
    body: dict[str, Any] = {"answer": signed(key, challenged)}
    if tell:
        body["device_key"] = {name: key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
    return client.post("/appareil/preuve", json=body)


def bind(client: httpx.Client) -> ECKey:
    key = new_key()
    assert answer(client, key, challenge(client), tell=True).status_code == 200
    return key


def copied(client: httpx.Client, *names: str) -> httpx.Client:
    """Another device that has copied these cookies."""
    return httpx.Client(
        base_url=client.base_url, timeout=20, headers=OURS, cookies={name: client.cookies[name] for name in names}
    )


def later(rows: Connection, minutes: float) -> None:
    """Let time pass for all that the database keeps of sessions."""
    rows.execute(
        "UPDATE login_session SET opened_at = opened_at - %(by)s, proved_at = proved_at - %(by)s,"
        " bound_at = bound_at - %(by)s",
        {"by": timedelta(minutes=minutes)},
    )
    rows.commit()


def test_copied_session_cookie_is_nothing_without_the_device(url: str, rows: Connection):
    with tablet(url) as ours:
        key = bind(ours)
        later(rows, 1)
        assert ours.get(BINS).status_code == 200
        with copied(ours, "voirie_session") as thief:
            refused = thief.get(BINS)
            assert (refused.status_code, refused.json()["type"]) == (401, "urn:voirie:problem:prove-device")
            assert thief.get(PAGE).headers["location"] == f"../appareil?after={PAGE.removeprefix('/')}"
            # The thief is given a challenge, and can neither answer it nor bind the session to a key of their own.
            other = new_key()
            assert answer(thief, other, challenge(thief)).status_code == 403
            assert answer(thief, other, challenge(thief), tell=True).status_code == 403
            assert thief.post("/compte/appareil", data={"device": "mine"}).status_code == 401
            # What a thief may see says nothing of whose session it is.
            assert thief.get("/").headers["location"].endswith("appareil?after=")
            for page in ("/", "/appareil", "/confidentialite"):
                assert "Driver" not in thief.get(page).text
        assert ours.get(BINS).status_code == 200
        assert answer(ours, key, challenge(ours)).status_code == 200


def test_copied_proof_ends_with_its_minutes_whatever_the_device_does(url: str, rows: Connection):
    with tablet(url) as ours:
        key = bind(ours)
        later(rows, 1)
        first = ours.cookies[PROOF]
        with copied(ours, "voirie_session", PROOF) as thief:
            assert thief.get(BINS).status_code == 200
            assert answer(ours, key, challenge(ours)).status_code == 200
            assert ours.cookies[PROOF] != first
            number, _, digest = first.partition(".")
            for forged in (f"{int(number) + 10**9}.{digest}", f"{number}.", "", "x", f"{'9' * 60}.{digest}"):
                thief.cookies.set(PROOF, forged)
                assert thief.get(BINS).status_code == 401, forged


def test_challenge_is_answered_once_and_newer_ones_end_older_ones(url: str):
    with tablet(url) as ours:
        older, newer = challenge(ours), challenge(ours)
        key = new_key()
        assert answer(ours, key, newer, tell=True).status_code == 200
        for again in (newer, older):
            assert answer(ours, key, again).status_code == 409
        with tablet(url) as other:
            assert answer(other, key, challenge(ours), tell=True).status_code == 403, "another session's challenge"


def test_device_that_slept_over_its_challenge_asks_for_another(url: str, rows: Connection):
    with tablet(url) as ours:
        key = bind(ours)
        (secret,) = rows.execute("SELECT proof_key FROM login_session").fetchone() or (b"",)
        now, hers = datetime.now(UTC), Marks(secret)
        assert answer(ours, key, hers.challenge(now - timedelta(hours=1))).status_code == 409
        assert answer(ours, key, challenge(ours)).status_code == 200
        # A challenge of another server, whose clock is ahead.
        assert answer(ours, key, hers.challenge(now + timedelta(seconds=30))).status_code == 200
        assert answer(ours, new_key(), hers.challenge(now - timedelta(hours=1))).status_code == 403


def test_hours_without_network_end_nothing(url: str, rows: Connection):
    with tablet(url) as ours:
        key = bind(ours)
        later(rows, 7 * 60)
        del ours.cookies[PROOF]  # it is over, and the browser has dropped it
        assert ours.get(BINS).status_code == 401
        assert answer(ours, key, challenge(ours)).status_code == 200
        assert ours.get(BINS).status_code == 200


def test_what_a_page_asked_for_while_its_device_was_bound_is_answered(url: str, rows: Connection):
    with tablet(url) as ours:
        bind(ours)
        with copied(ours, "voirie_session") as under_way:
            assert under_way.get(BINS).status_code == 200
            later(rows, 0.5)
            assert under_way.get(BINS).status_code == 401


def test_session_whose_device_tells_no_key_is_over_after_a_proof_s_time(url: str, rows: Connection):
    with tablet(url) as ours:
        assert ours.get(BINS).status_code == 200
        later(rows, 11)
        refused = ours.get(BINS)
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:voirie:problem:unauthorized")
        assert ours.post("/appareil/defi").status_code == 401


def test_who_works_at_a_desk_is_not_asked(url: str, rows: Connection):
    with tablet(url, "chef") as desk:
        later(rows, 30)
        assert desk.get(BINS).status_code == 200
        assert desk.post("/appareil/defi").status_code == 403


def test_town_may_ask_nobody(database_url: str, rows: Connection):
    make_account(rows, "driver", (INSEE, Role.DRIVER))
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, proof_s=0)
    with serving(options, open_to_all=False) as served, tablet(served) as ours:
        later(rows, 600)
        assert ours.get(BINS).status_code == 200


def test_chef_sees_which_devices_are_bound_and_log_out_needs_no_proof(url: str, rows: Connection):
    with tablet(url) as ours, tablet(url, "chef") as chef:
        assert "lié par sa clé" not in chef.get(f"/{INSEE}/equipe").text
        bind(ours)
        assert "lié par sa clé" in chef.get(f"/{INSEE}/equipe").text
        later(rows, 1)
        del ours.cookies[PROOF]
        assert ours.get(BINS).status_code == 401
        assert ours.post("/deconnexion").status_code == 303
        assert rows.execute("SELECT count(*) FROM login_session WHERE device_key IS NOT NULL").fetchone() == (0,)


def no_challenge(marks: Marks, text: str) -> bool:
    try:
        marks.challenged_at(text, now=NOW)
    except (NotProvedError, ChallengeOverError):
        return True
    return False


@given(
    secret=some.binary(min_size=32, max_size=32),
    passed=some.timedeltas(min_value=timedelta(minutes=-5), max_value=timedelta(minutes=5)),
)
def test_marks_are_known_by_their_session_and_in_their_time_alone(secret: bytes, passed: timedelta):
    marks, others = Marks(secret), Marks(bytes(byte ^ 1 for byte in secret))
    given_at, at = NOW - passed, NOW
    mark = marks.challenge(given_at)
    if abs(passed) < CHALLENGE_LASTS:
        assert marks.challenged_at(mark, now=at) == given_at
    else:
        assert no_challenge(marks, mark)
    assert marks.is_proved(marks.proof(given_at), now=at) == (at < given_at)
    # A challenge is no proof, and what is another session's is nothing.
    assert not marks.is_proved(marks.challenge(NOW + timedelta(minutes=1)), now=NOW)
    assert no_challenge(others, mark)
    assert not others.is_proved(marks.proof(NOW + timedelta(minutes=1)), now=NOW)


@given(text=some.text() | some.from_regex(r"[0-9]{1,60}\.[A-Za-z0-9_-]*", fullmatch=True))
def test_anything_else_is_no_mark_and_no_answer(text: str):
    marks = Marks(b"s" * 32)
    assert no_challenge(marks, text)
    assert not marks.is_proved(text, now=NOW)
    with pytest.raises(NotProvedError):
        challenge_in(text, device_key=public_key(new_key().as_dict(private=False)))


@pytest.mark.parametrize(
    "told",
    [
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "oct", "k": "c2VjcmV0"},  # a secret that both know: whoever told it could sign with it
        {"kty": "EC", "crv": "P-384", "x": "A" * 64, "y": "A" * 64},
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": None},
        {},
    ],
)
def test_only_a_public_key_of_the_curve_is_taken(told: dict[str, Any]):
    with pytest.raises(NotProvedError):
        public_key(told)


def test_private_half_is_not_kept():
    assert "d" not in public_key(new_key().as_dict(private=True))


def test_answer_by_no_algorithm_or_a_shared_secret_is_refused():
    key = new_key()
    told = public_key(key.as_dict(private=False))
    assert challenge_in(signed(key, "c"), device_key=told) == "c"
    header, claims, _ = signed(key, "c").split(".")
    for forged in (f"{header}.{claims}.", f"eyJhbGciOiJub25lIn0.{claims}.", signed(new_key(), "c")):
        with pytest.raises(NotProvedError):
            challenge_in(forged, device_key=told)
