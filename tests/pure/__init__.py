"""Tests without a server. On a busy machine an example may take its time: slowness is no failure here."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
