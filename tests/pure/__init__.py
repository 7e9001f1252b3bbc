"""Tests without a server. On a busy machine an example may take its time: slowness is not a failure."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
