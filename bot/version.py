"""The version of this Reelay: shown by ``reelay --version`` and read by the packaging."""

from __future__ import annotations

VERSION = "0.1.0"
