from schema_kit import LockPolicy, environment

environment.run(lock_policy=LockPolicy(longest=2000))
