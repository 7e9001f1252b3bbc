"""`alembic upgrade --sql`: a placeholder database, followed from base by what the steps would do to it.

Alembic's own operations are not seen here, so what is remembered may be out of date. Only what cannot be written
without it is taken from memory (what create_baseline made, how tables are partitioned, the shape of a table that is to
be converted); of all else nothing is taken to be done already, and each operation writes its statements.
"""

from schema_kit.offline.database import EmptyDatabase as EmptyDatabase
from schema_kit.offline.followed import foreign_key as foreign_key
from schema_kit.offline.followed import index_tail as index_tail
from schema_kit.offline.placeholder import Placeholder as Placeholder
