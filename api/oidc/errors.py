"""What is said when a log-in with the provider comes to nothing."""

from __future__ import annotations

from storage.errors import VoirieError


class LoginRefusedError(VoirieError):
    """The log-in with the identity provider did not succeed; it can be begun again.

    The message is for logs and says which rule was broken; it holds no code, no token and no text of the provider's.
    """
