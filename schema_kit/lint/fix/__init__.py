"""Rewrite a revision to operations of schema_kit, and keep what was run and found clean.

statements.py  a statement of SQL -> a call
source.py      a revision's file as a tree that keeps every letter (libcst)
calls.py       a call of Alembic's operations -> calls of ours
rewrite.py     the file with those calls in it
chain.py       operations of two kinds -> revisions that follow one another
trial.py       run, judged, and compared with the original's end
"""
