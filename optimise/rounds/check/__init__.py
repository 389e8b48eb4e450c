"""The independent checker: recomputes a solution from the problem alone and names every rule that it breaks.

It shares no code with the engines (a contract holds that) and believes none of their figures. No plan leaves the
planner that it has not accepted.
"""

from optimise.rounds.check.judge import check
from optimise.rounds.check.rules import Rule, Verdict, Violation

__all__ = ["Rule", "Verdict", "Violation", "check"]
