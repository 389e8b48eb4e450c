"""Log-in by somebody else's accounts: the client of an OpenID Connect provider, apart from our tables and pages.

`client.OidcClient` talks to the provider; the other modules decide and do no I/O. Who wires it keeps an `Attempt` in
the browser between the two halves of a log-in and gives what comes back, once, to `OidcClient.complete`.
"""

from api.oidc.attempts import Attempt, local_path
from api.oidc.client import OidcClient
from api.oidc.errors import LoginRefusedError
from api.oidc.identity import GrantRule, Identity, IdentityGrant
from api.oidc.options import OidcOptions

__all__ = [
    "Attempt",
    "GrantRule",
    "Identity",
    "IdentityGrant",
    "LoginRefusedError",
    "OidcClient",
    "OidcOptions",
    "local_path",
]
