"""The error tree. The docstring of an error is its default message; causes are chained with `raise ... from`."""

from __future__ import annotations

import inspect


class VoirieError(Exception):
    """Voirie could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.cleandoc(self.__doc__ or ""))


class SettingsError(VoirieError):
    """A setting has a wrong value, or two settings contradict each other."""


class InputError(VoirieError):
    """An input from outside (a file, an option, a request) breaks a rule."""


class ConflictError(InputError):
    """What is asked contradicts what is known; nothing was changed."""


class NotFoundError(VoirieError):
    """There is no such thing in this commune."""


class UnavailableError(VoirieError):
    """A service that is needed (database, broker, streets) does not answer; the work can be tried again later."""


class SchemaError(VoirieError):
    """The database has no schema, or one of another version: run `voirie migrate`."""


class PlanRefusedError(VoirieError):
    """The independent checker did not accept the plan, so it does not leave the planner."""
