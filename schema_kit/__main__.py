"""``python -m schema_kit``."""

from schema_kit.cli import main

main()
