"""The verbs: one class is one commit, with its fields, its locks and its SQL side by side."""

from schema_kit.steps.step import Lock, LockMode, Plan, Step, Transaction

__all__ = ["Lock", "LockMode", "Plan", "Step", "Transaction"]
