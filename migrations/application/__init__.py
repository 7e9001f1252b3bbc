"""The five systems' own side of the database: what their code imports, over the models in migrations/models/.

customers, conversations and market ask; pools and replicas connect; caches, guarded and cached keep answers in Redis.
It is an example to copy from: it is tested against the pack, and is not part of the wheel.
"""
