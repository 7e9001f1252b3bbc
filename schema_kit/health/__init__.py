"""`schema_kit health`: what is wrong with a database, one finding for one thing to act on.

`observe` reads catalog and statistics, `checks` judges what was read (pure), `report` shows the findings.
"""
