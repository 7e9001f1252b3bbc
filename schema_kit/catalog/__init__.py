"""What PostgreSQL has, as nouns. Only SELECTs.

Everything is read under the same session settings (empty search_path, UTC, ISO dates): so every name that PostgreSQL
prints is qualified, and every bound and literal means the same wherever it is sent.
"""

from schema_kit.catalog.catalog import Catalog

__all__ = ["Catalog"]
