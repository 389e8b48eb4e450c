"""A real OpenID Connect provider (Canaille) as a process of its own: `… PORT DATABASE REDIRECT_URI LOGOUT_URI`.

It asks for a password and for consent on pages of its own, insists on PKCE, and signs with the keys that it publishes.
The clients differ in how they say who they are, and in whether userinfo is signed for them.
"""

from __future__ import annotations

import sys
import wsgiref.simple_server
from typing import Any

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import ECKey, RSAKey

CLIENT_SECRET = "a-secret+with/letters:that-need-encoding"
CLIENTS = {
    # client_id: (how it says who it is, how userinfo is signed for it)
    "voirie-basic": ("client_secret_basic", None),
    "voirie-post": ("client_secret_post", None),
    "voirie-signed": ("client_secret_post", "RS256"),
    "voirie-refused": ("client_secret_post", None),
}
PASSWORD = "correct-horse-battery"
GROUPS = {"cheffes": ["amina"], "agents": ["amina", "bruno"]}


def serve(port: int, *, database: str, redirect_uri: str, post_logout_redirect_uri: str) -> None:
    keys: list[Any] = [RSAKey.generate_key(2048, auto_kid=True), ECKey.generate_key("P-256", auto_kid=True)]
    app = create_app(
        config={
            "ENV_FILE": None,
            "SECRET_KEY": "for-this-test-alone",
            "PREFERRED_URL_SCHEME": "http",
            "SERVER_NAME": f"localhost:{port}",
            "CANAILLE_SQL": {"DATABASE_URI": f"sqlite:///{database}"},
            "CANAILLE": {"DATABASE": "sql", "JAVASCRIPT": False, "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}}},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True) for key in keys]},
        }
    )
    with app.app_context():
        backend = Backend.instance
        people = {}
        for name, family in (("amina", "Benali"), ("bruno", "Caron")):
            person = models.User(
                user_name=name,
                given_name=name.capitalize(),
                family_name=family,
                formatted_name=f"{name.capitalize()} {family}",
                emails=[f"{name}@noisy.example"],
                password=PASSWORD,
            )
            backend.save(person)
            people[name] = person
        for group, members in GROUPS.items():
            backend.save(models.Group(display_name=group, members=[people[name] for name in members]))
        for client_id, (authentication, signed) in CLIENTS.items():
            client = models.Client(
                client_id=client_id,
                client_secret=CLIENT_SECRET,
                client_name=client_id,
                redirect_uris=[redirect_uri],
                post_logout_redirect_uris=[post_logout_redirect_uri],
                grant_types=["authorization_code"],
                response_types=["code"],
                scope=["openid", "profile", "email", "groups"],
                token_endpoint_auth_method=authentication,
                # Its access tokens are signed, too, and of the same second alike but for that: ES256 never signs twice
                # the same, and it takes no token that it has already given.
                id_token_signed_response_alg=signed or "ES256",
                userinfo_signed_response_alg=signed,
            )
            backend.save(client)
            client.audience = [client]
            backend.save(client)
    with wsgiref.simple_server.make_server("localhost", port, app) as server:
        server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), database=sys.argv[2], redirect_uri=sys.argv[3], post_logout_redirect_uri=sys.argv[4])
