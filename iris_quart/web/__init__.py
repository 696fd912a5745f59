"""The HTTP side: sign-in, the editor's page, JSON routes, health, and the rules that guard them all."""

from __future__ import annotations
