"""Addresses between pages. Each is relative to the page, so that they hold under any sub-path that a proxy gives us."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request


def path_of(request: Request) -> str:
    """Return the path of the page within the application: "" for its root."""
    return request.url.path.removeprefix(request.scope.get("root_path", "")).removeprefix("/")


def root_of(request: Request) -> str:
    """Return the relative address of the application's root, as seen from the page: "" or "../" as often as needed."""
    return "../" * path_of(request).count("/")


def login_address(request: Request) -> str:
    """Return the relative address of the page to log in, which leads back to the page that was asked for."""
    return f"{root_of(request)}connexion?{_after(request)}"


def device_address(request: Request) -> str:
    """Return the relative address of the page on which a device proves itself, which leads back as well."""
    return f"{root_of(request)}appareil?{_after(request)}"


def _after(request: Request) -> str:
    return f"after={quote(path_of(request), safe='/')}"
