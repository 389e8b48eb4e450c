"""What makes a page installable: its manifest, and the service worker with the list of what it keeps for dead spots."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from xstatic.pkg import leaflet

from api.pages.languages import WRITTEN_IN, languages, translated, translations
from api.pages.languages import mark as _
from api.pages.modules import modules_of

_STATIC = Path(str(files("api") / "web" / "static"))
_ENTRIES = ("js/driver/main.js", "js/driver/choice.js", "js/device_keep.js")
_SHEETS = ("css/base.css", "css/document.css", "css/driver.css", "voirie.svg")
_LEAFLET = ("leaflet.js", "leaflet.css")
_ICONS = (192, 512)


_NAME = _("Tournée")
_ABOUT = _("La tournée de collecte, avec ou sans réseau.")


def manifest(language: str, commune_insee: str) -> dict[str, Any]:
    """Return the web app manifest of the driver's tablet. Addresses are relative to it: `/{commune_insee}/…`."""
    say = translations(language).gettext
    return {
        "name": f"{say(_NAME)} ({commune_insee})",
        "short_name": say(_NAME),
        "description": say(_ABOUT),
        "lang": language,
        "start_url": "tournee",
        "scope": "tournee",
        "display": "standalone",
        "orientation": "any",
        "background_color": "#0d3b47",
        "theme_color": "#0d3b47",
        "icons": [
            {"src": f"../static/icons/tournee-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
            for size in _ICONS
        ]
        + [
            {
                "src": "../static/icons/tournee-maskable-512.png",
                "sizes": "512x512",
                "type": "image/png",
                "purpose": "maskable",
            },
            {"src": "../static/voirie.svg", "sizes": "any", "type": "image/svg+xml"},
        ],
    }


def worker(commune_insee: str) -> str:
    """Return the service worker. Its text differs whenever something that it keeps does: so browsers notice."""
    script = (_STATIC / "js/driver/worker.js").read_text(encoding="utf-8")
    return f"self.KEPT = {json.dumps(_kept() | {'commune': commune_insee})};\n{script}"


@cache
def _kept() -> dict[str, Any]:
    """Return the version and the addresses of what is kept, relative to the worker: `/{commune_insee}/…`."""
    own = [*_SHEETS, *sorted({module for entry in _ENTRIES for module in modules_of(entry)})]
    spoken = [language for language in languages() if language != WRITTEN_IN]
    parts = [
        *((_STATIC / name).read_bytes() for name in own),
        *((leaflet_folder() / name).read_bytes() for name in _LEAFLET),
        *(json.dumps(translated(language)).encode() for language in spoken),
    ]
    addresses = [
        *(f"../static/{name}" for name in own),
        *(f"../static/leaflet/{name}" for name in _LEAFLET),
        *(f"../messages/{language}.json" for language in spoken),
    ]
    return {"version": sha256(b"\0".join(parts)).hexdigest()[:16], "files": addresses}


def leaflet_folder() -> Path:
    """Return where Leaflet's own files are, which its wheel brings."""
    return Path(leaflet.BASE_DIR)
