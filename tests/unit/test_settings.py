"""Settings: the documented file is the defaults, the environment wins, nonsense is refused in one sentence."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from cli.wiring import networks, planner_options, retention_options, time_series_options, worth_options
from config.settings import Settings, read_settings
from ingest.topics import EnvelopeKind, Network
from optimise.rounds.day import PriceOptions, WishOptions
from optimise.rounds.problem import Traffic
from storage.errors import SettingsError
from storage.kerb.worth import WorthOptions
from storage.retention_kinds import RetentionOptions
from storage.time_series import TimeSeriesOptions

DOCUMENTED = Path(__file__).resolve().parents[2] / "config" / "voirie.toml"


@pytest.fixture(autouse=True)
def empty_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("VOIRIE_CONFIG", "VOIRIE_MQTT__URL"):
        monkeypatch.delenv(name, raising=False)


def test_documented_file_states_the_defaults():
    assert read_settings(DOCUMENTED).model_dump() == Settings().model_dump()


def test_documented_file_names_every_option_and_no_other():
    text = DOCUMENTED.read_text(encoding="utf-8")
    # Options without a default stand commented out, ready to be filled in.
    uncommented = re.sub(r"^# (\[\[?\w+\]\]?|\w+ = )", r"\1", text, flags=re.MULTILINE)
    documented = tomllib.loads(uncommented)
    documented["networks"] = documented["networks"][0]
    known = {
        table: set(getattr(field.annotation, "model_fields", {})) for table, field in Settings.model_fields.items()
    }
    known["networks"] = {"name", "envelope", "topic_filter", "commune"}
    assert {table: set(options) for table, options in documented.items()} == known


def test_rooms_agree_on_defaults():
    """A migration or a job that was given no options does what the documented file says."""
    assert time_series_options(Settings()) == TimeSeriesOptions()
    assert retention_options(Settings()) == RetentionOptions()
    assert worth_options(Settings()) == WorthOptions()


def test_rounds_are_priced_as_the_planner_prices_them_unless_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    usual = planner_options(Settings())
    assert (usual.prices, usual.wishes, usual.traffic) == (PriceOptions(), WishOptions(), None)
    file = tmp_path / "mine.toml"
    file.write_text(
        "[rounds]\ntraffic = [{ begins = 07:30:00, percent = 125 }, { begins = 09:00:00, percent = 100 }]\n"
        "[rounds.prices]\nkm_eur = 2\n[rounds.wishes]\nsplit_eur = 3\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("VOIRIE_ROUNDS__PRICES__HOUR_EUR", "50")
    told = planner_options(read_settings(file))
    assert told.prices == PriceOptions(km_eur=2, hour_eur=50)
    assert told.wishes == WishOptions(split_eur=3)
    assert told.traffic == Traffic(from_s=(27_000, 32_400), percent=(125, 100))


def test_command_line_wins_over_environment_over_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text('[api]\nport = 1001\nhost = "10.0.0.1"\n[log]\nlevel = "debug"\n', encoding="utf-8")
    monkeypatch.setenv("VOIRIE_API__PORT", "1002")
    monkeypatch.setenv("VOIRIE_API__HOST", "10.0.0.2")
    settings = read_settings(file, overrides={"api": {"port": 1003}})
    assert (settings.api.port, settings.api.host, settings.log.level) == (1003, "10.0.0.2", "debug")


def test_file_of_the_working_folder_is_found(tmp_path: Path):
    (tmp_path / "voirie.toml").write_text("[api]\nport = 1234\n", encoding="utf-8")
    assert read_settings().api.port == 1234


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[api]\nport = 0\n", r"setting api\.port: .*greater than or equal to 1"),
        ("[api]\nprot = 80\n", r"setting api\.prot: Extra inputs"),
        ('[commune]\ninsee_code = "9305"\n', r"setting commune\.insee_code"),
        ('[commune]\ntime_zone = "Europe/Pari"\n', r"expected the name of a time zone .* 'Europe/Pari'"),
        ("[forecast]\nhorizon_h = 12\n", r"forecast\.horizon_h is 12 .* at least 36 h"),
        ("[retention]\nfill_readings_days = 100\n[ingest]\nmax_age_days = 101\n", r"only to be forgotten at once"),
        ("[retention]\nstatistics_days = 399\n", r"fill_readings_days is 400 but statistics_days is 399"),
        ("[retention]\noccupancy_readings_days = 6\n", r"retention\.occupancy_readings_days: .*greater than .* 7"),
        ("[ingest]\nmax_age_days = 7\n", r"ingest\.max_age_days is 7 but simulator\.days is 28"),
        ("[ingest]\nmetrics_port = 8000\n", r"ingest\.metrics_port and api\.port are both 8000"),
        ('[mqtt]\npassword_file = "x"\n', r"mqtt\.username is empty"),
        (
            '[mqtt]\nclient_id = "voirie-{pod}"\n',
            r"mqtt\.client_id: .*no placeholder but \{hostname\} and \{instance\}",
        ),
        ('[mqtt]\nclient_id = "voirie-{instance}"\n', r"each instance would take every message"),
        ('[mqtt]\nca_file = "x"\n', r"mqtt\.url is not mqtts://"),
        ('[mqtt]\ncert_file = "x"\nkey_file = "y"\n', r"mqtt\.url is not mqtts://"),
        ('[mqtt]\nurl = "mqtts://b"\ncert_file = "x"\n', r"mqtt\.cert_file and mqtt\.key_file go together"),
        ('[mqtt]\nurl = "mqtt://broker"\n', r"mqtt://broker is another machine.*use mqtts://.*mqtt\.allow_plaintext"),
        ('[mqtt]\nurl = "mqtt://user:secret@10.0.0.1:1884"\n', r"mqtt://10\.0\.0\.1 is another machine"),
        ('[api]\ntiles_url = "https://tiles/{z}"\n', r"must contain \{z\}, \{x\} and \{y\}"),
        ("[rounds.prices]\nkm_eur = -1\n", r"setting rounds\.prices\.km_eur: .*greater than or equal to 0"),
        (
            "[rounds]\ntraffic = [{ begins = 09:00:00, percent = 125 }, { begins = 08:00:00, percent = 100 }]\n",
            r"setting rounds\.traffic: .*begin later and later",
        ),
        ("[api\n", r"is not TOML"),
    ],
)
def test_nonsense_is_refused_with_the_rule_it_breaks(tmp_path: Path, text: str, sentence: str):
    file = tmp_path / "wrong.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=sentence) as refusal:
        read_settings(file)
    assert "\n" not in str(refusal.value)


def test_two_networks_of_one_name_are_refused(tmp_path: Path):
    network = '[[networks]]\nname = "a"\nenvelope = "native"\ntopic_filter = "x"\ncommune = "93051"\n'
    file = tmp_path / "twice.toml"
    file.write_text(network * 2, encoding="utf-8")
    with pytest.raises(SettingsError, match="two networks have the same name"):
        read_settings(file)


def test_two_networks_of_one_filter_are_refused(tmp_path: Path):
    network = '[[networks]]\nname = "{}"\nenvelope = "{}"\ntopic_filter = "x/+"\ncommune = "93051"\n'
    file = tmp_path / "twice.toml"
    file.write_text(network.format("a", "ttn") + network.format("b", "actility"), encoding="utf-8")
    with pytest.raises(SettingsError, match="two networks have the same topic_filter"):
        read_settings(file)


@pytest.mark.parametrize("envelope", get_args(EnvelopeKind.__value__))
def test_every_envelope_can_be_set(tmp_path: Path, envelope: str):
    file = tmp_path / "networks.toml"
    file.write_text(
        f'[[networks]]\nname = "ville"\nenvelope = "{envelope}"\ntopic_filter = "a/+"\ncommune = "2A004"\n',
        encoding="utf-8",
    )
    (network,) = networks(read_settings(file))
    assert network == Network(name="ville", commune_insee="2A004", envelope=envelope, topic_filter="a/+")
    assert f"{envelope} " in DOCUMENTED.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("envelope", "topic_filter", "sentence"),
    [
        (
            "lorawan",
            "a/+",
            r"setting networks\.0\.envelope: .*'native', 'chirpstack', 'ttn', 'actility' or 'live_objects'",
        ),
        ("ttn", "v3/#/up", r"setting networks, 'ville': expected '#' to be the last level"),
        ("actility", "$share/g/a", r"setting networks, 'ville': expected a plain topic filter"),
    ],
)
def test_a_wrong_network_is_refused_with_the_rule_it_breaks(
    tmp_path: Path, envelope: str, topic_filter: str, sentence: str
):
    file = tmp_path / "wrong.toml"
    file.write_text(
        f'[[networks]]\nname = "ville"\nenvelope = "{envelope}"\ntopic_filter = "{topic_filter}"\ncommune = "93051"\n',
        encoding="utf-8",
    )
    with pytest.raises(SettingsError, match=sentence):
        networks(read_settings(file))


@pytest.mark.parametrize("name", ["VOIRIE_DATABSE__URL", "VOIRIE_DATABASE__ULR"])
def test_misspelt_variable_is_refused(name: str):
    with pytest.raises(SettingsError, match=name):
        read_settings(environment={name: "x"})


def test_missing_file_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        read_settings(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "voirie.example"])
def test_open_accounts_are_refused_beyond_this_machine(tmp_path: Path, host: str):
    overrides = {"accounts": {"mode": "open"}, "api": {"host": host}}
    with pytest.raises(SettingsError, match=f"api.host is {host}: open accounts are for a demo on this machine"):
        read_settings(None, overrides=overrides)
    assert read_settings(None, overrides=overrides | {"api": {"host": "127.0.0.1"}}).accounts.mode == "open"


def test_trusted_proxies_are_addresses_and_networks():
    read = read_settings(None, overrides={"api": {"trusted_proxies": ["10.1.2.3", "192.168.0.0/16"]}})
    assert read.api.trusted_proxies == ("10.1.2.3/32", "192.168.0.0/16")
    with pytest.raises(SettingsError, match="trusted_proxies"):
        read_settings(None, overrides={"api": {"trusted_proxies": ["the proxy"]}})
