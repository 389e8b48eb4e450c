"""`voirie keys`: keys with which machines ask the web server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.accounts import RolesOption, opened, roles_of
from cli.auditing import note
from cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from storage.model import ApiKey

keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke the keys of machines.")


@keys.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What uses it, for people: 'open data portal'.")],
    commune: Annotated[str, typer.Option("--commune", help="INSEE code of its commune.", show_default=False)],
    role: RolesOption,
    config: ConfigOption = None,
    days: Annotated[int, typer.Option(min=1, max=1096, help="How long it holds, days.")] = 365,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a key: a commune, roles, and an end. It is shown once and kept as a hash."""
    from storage import accounts as stored
    from storage import communes

    with opened(config) as connection:
        known = communes.one(connection, commune.strip().upper())
        made, secret = stored.add_key(
            connection,
            name=name,
            commune_insee=known.commune_insee,
            roles=roles_of(role),
            expires_at=datetime.now(UTC) + timedelta(days=days),
        )
        note(connection, made.commune_insee, "key.added", f"key:{made.prefix}", roles=list(made.roles))
    if as_json:
        typer.echo(json.dumps(_document(made) | {"key": secret}, ensure_ascii=False))
        return
    typer.echo(_line(made))
    typer.echo(f"  key, shown this once: {secret}")


@keys.command("list")
def list_keys(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the keys, revoked ones too; never the keys themselves."""
    from storage import accounts as stored

    with opened(config) as connection:
        found = stored.keys(connection)
    if as_json:
        typer.echo(json.dumps({"keys": [_document(key) for key in found]}, ensure_ascii=False))
        return
    for key in found:
        typer.echo(_line(key))
    if not found:
        typer.echo("no key yet: `voirie keys add NAME --commune INSEE --role ROLE` makes one", err=True)


@keys.command("revoke")
def revoke(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="Its beginning, as `voirie keys list` tells it.")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """End a key at once. Harmless when repeated."""
    from storage import accounts as stored

    with opened(config) as connection:
        revoked = stored.revoke_key(connection, prefix.strip())
        note(connection, revoked.commune_insee, "key.revoked", f"key:{revoked.prefix}")
    typer.echo(json.dumps({"prefix": prefix.strip(), "revoked": True}) if as_json else f"{prefix}: revoked")


def _document(key: ApiKey) -> dict[str, Any]:
    def told(moment: datetime | None) -> str | None:
        return None if moment is None else moment.isoformat()

    return {
        "prefix": key.prefix,
        "name": key.name,
        "commune_insee": key.commune_insee,
        "roles": [role.value for role in key.roles],
        "created_at": told(key.created_at),
        "expires_at": told(key.expires_at),
        "last_used_at": told(key.last_used_at),
        "revoked_at": told(key.revoked_at),
    }


def _line(key: ApiKey) -> str:
    state = "revoked" if key.revoked_at else f"until {key.expires_at:%Y-%m-%d}"
    used = "never used" if key.last_used_at is None else f"last used {key.last_used_at:%Y-%m-%d}"
    return f"{key.prefix}…  {key.name} ({key.commune_insee}: {', '.join(key.roles)}), {state}, {used}"
