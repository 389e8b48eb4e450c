"""`voirie simulate`: provision a simulated commune, publish its history, then let it live on its accelerated clock."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from cli.demo.judge import Truth, write_truth
from cli.provision import fleet, provision
from cli.services import wait_for_schema
from cli.stopping import stop_on_signals
from cli.wiring import broker_url, database_url
from config.settings import Settings
from simulators.streets import default_extract, read_streets
from simulators.world import World, build_world
from storage import bins, communes, places, readings
from storage.database import Connection, connect
from storage.errors import InputError
from storage.model import Clock, Commune, Simulation

__all__ = ["default_extract", "simulate"]

log = structlog.get_logger()

_STANDING = 1e-9
"""The clock's rate while the history is published: the table takes no 0, and a day at this rate is 86 microseconds."""
_HISTORY_ENDS_AT_H = 21
"""The local hour: the evening's plan is due, and the morning's rounds are a few minutes of accelerated time away."""
_JUDGED_H = 24
