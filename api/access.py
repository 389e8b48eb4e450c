"""Who may use which route: the one table, by the route's name. What is not in it nobody may use.

Each role gets what its work needs and no more. Single stays of vehicles, and where officers are, are for officers and
for who manages parking; where crews are, for dispatchers; the registry of devices, for who integrates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.principal import Principal
from storage.model import Role

_DISPATCHER = frozenset({Role.DISPATCHER})
_DRIVER = frozenset({Role.DRIVER})
_OFFICER = frozenset({Role.OFFICER})
_PARKING = frozenset({Role.PARKING_MANAGER})
_READER = frozenset({Role.DATA_READER})
_INTEGRATOR = frozenset({Role.INTEGRATOR})
_ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
_KERB = _OFFICER | _PARKING
_LEVELS = _DISPATCHER | _READER
_CREWS = _DISPATCHER | _DRIVER
_TERRITORY = frozenset({Role.TERRITORY_READER})
_EVERY_ROLE = frozenset(Role) - _TERRITORY


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """Who may use a route: those with one of `roles` in its commune, anybody (`public`), or who logged in (`known`)."""

    roles: frozenset[Role] = frozenset()
    public: bool = False
    known: bool = False

    def __post_init__(self) -> None:
        """Refuse what says two things, or nothing."""
        if (self.public, self.known, bool(self.roles)).count(True) != 1:
            raise ValueError("expected one of public, known and roles")

    def lets(self, principal: Principal, commune_insee: str | None) -> bool:
        """Whether `principal` may use the route in a commune; with None in any, for routes of no commune."""
        if self.public:
            return True
        if self.known:
            return principal.is_known
        granted = principal.roles if commune_insee is None else principal.roles_in(commune_insee)
        return bool(granted & self.roles)


PUBLIC = Access(public=True)
KNOWN = Access(known=True)

_BY_ROLES: Mapping[frozenset[Role], str] = {
    _EVERY_ROLE: "live_events commune_map",
    # --- bins and rounds ---
    _LEVELS | _DRIVER: "list_bins one_bin",
    _LEVELS: (
        "bin_history list_forecasts list_forecasts_by_rounds list_forecast_scores bin_forecast list_fill_models "
        "one_fill_model bin_levels compare_emptyings former_rounds desk desk_bin desk_month"
    ),
    # Figures of a commune as a whole. Of the observatory a territory gets no single place (api/routes/observatory.py).
    _LEVELS | _TERRITORY: "kpis kpis_file",
    _PARKING | _READER | _TERRITORY: "show_usage export_usage",
    _LEVELS | _INTEGRATOR: "list_alerts",
    _LEVELS | _PARKING: "list_events",
    _DISPATCHER | _PARKING: "tell_events remove_event",
    _DISPATCHER: (
        "latest_plan plan_day plan_version publish_plan discard_plan left_out edit_plan plan_request export_plan "
        "tell_former_rounds list_rules tell_rules list_vehicles"
    ),
    _CREWS: (
        "one_plan one_route driver_round export_route declare withdraw declare_vehicle_events tell_position "
        "driver_choice driver_tablet"
    ),
    # --- the kerb ---
    _KERB: "list_bays list_spaces show_kerb show_place list_checks map_checks list_held list_told",
    _PARKING: "list_sessions",
    _OFFICER: "officer_page propose_patrol take_check release_check close_check",
    _PARKING | _READER: "show_advice list_models",
    _KERB | _READER | _INTEGRATOR: "list_places",
    _PARKING | _INTEGRATOR: "import_table",
    # --- devices ---
    _DISPATCHER | _PARKING | _INTEGRATOR: "list_device_health list_devices export_devices one_device",
    _INTEGRATOR: "import_file register_device assign_device put_device_away",
    _DISPATCHER | _INTEGRATOR | _ADMINISTRATOR: "intake",
    _INTEGRATOR | _ADMINISTRATOR: (
        "operator_page operation_state list_device_conditions list_refusals ask_replay list_replays"
    ),
    # --- people ---
    _DISPATCHER | _PARKING | _ADMINISTRATOR: "team_page end_team_session",
    _ADMINISTRATOR: (
        "accounts_page add_account one_account grant_role withdraw_role reset_account remove_second_factor "
        "end_account_sessions disable_account keys_page add_key revoke_key"
    ),
}  # fmt: skip

_PUBLIC = (
    # Which communes are served, what there is of streets, and where a free place is likely: of no single vehicle.
    "list_communes commune_now streets find_destinations guide count_free list_groups show_bay "
    "parking_page parking_embedded parking_sign "
    # Of no commune. The proxy keeps /metrics from the web (docs/deploy.md).
    "health_live health_ready metrics openapi "
    "home first_steps accessibility privacy said_by_scripts sign_in_page sign_in second_step_page second_step "
    "begin_at_provider come_back_from_provider driver_manifest driver_worker"
)
_KNOWN = (
    "sign_out account_page change_password end_own_session name_device begin_second_factor confirm_second_factor "
    "device_page challenge_device prove_device"
)
WITHOUT_PROOF = frozenset({"device_page", "challenge_device", "prove_device", "sign_out"})
"""What a session may be used for while its device has to prove itself."""
PROVED_FIRST = frozenset({"home"})
"""What is for everybody and shows each their own: the device proves itself first, so that nobody seems logged out."""

ACCESS: Mapping[str, Access] = MappingProxyType(
    {name: Access(roles=roles) for roles, names in _BY_ROLES.items() for name in names.split()}
    | dict.fromkeys(_PUBLIC.split(), PUBLIC)
    | dict.fromkeys(_KNOWN.split(), KNOWN)
)
