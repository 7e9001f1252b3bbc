"""What unfinished work, a kept table, a lost archive or a publication leaves: sentences, each with its command."""

from __future__ import annotations

import shlex

from schema_kit.marks import BOUND_CHECK
from schema_kit.model import Leftover
from schema_kit.names import ident, literal
from schema_kit.plans.check import Finding, command
from schema_kit.sizes import pretty
from schema_kit.storage import ARCHIVE_POLICY


def finding(one: Leftover) -> Finding:
    """Return what unfinished work, a kept table, a lost archive or a publication leaves."""
    code, sentence = _LEFT[one.kind](one)
    return Finding(code, str(one.set), str(one.object), sentence)


def _copy_left(one: Leftover) -> tuple[str, str]:
    verb, what = {"drain": "drain-default", "split": "split", "convert": "convert"}[one.kind], one.set
    what = one.object if one.kind == "split" else what
    if one.swapped:
        said = f"the copy of {one.object} has come to its swap and is not cleared away, {pretty(one.bytes)} are kept"
        return "copy_unfinished", f"{said}. To end it: {command(verb, what)}"
    back = command(verb, what, "--abort")
    if one.unlogged:
        said = f"a copy of {one.object} was begun and is not over, but nothing logs what is written meanwhile"
        return "copy_unfinished", f"{said}: the table, or the copy's trigger, was dropped. To abort it: {back}"
    said = (
        f"a copy of {one.object} was begun and is not over: each write of it is logged, {pretty(one.bytes)} so far, "
        "until the disk is full"
    )
    if one.kind == "convert":
        return "copy_unfinished", f"{said}. What began it resumes where it stopped; to abort it: {back}"
    return "copy_unfinished", f"{said}. Unless it is at work: {command(verb, what)} goes on, {back} gives it up"


def _bound(one: Leftover) -> tuple[str, str]:
    return "bound_left", (
        f"the conversion of {one.object} was begun and is not over: its check {BOUND_CHECK} refuses rows past its "
        f"bound. What began it resumes where it stopped; to abort it: {command('convert', one.object, '--abort')}"
    )


def _kept(one: Leftover) -> tuple[str, str]:
    return "old_kept", (
        f"{one.object} is kept since {one.set} was converted by copy, {pretty(one.bytes)}: --rollback gives it its "
        f"place again; to drop it: {command('convert', one.set, '--finish --yes')}"
    )


def _emptied(one: Leftover) -> tuple[str, str]:
    names = ", ".join(map(str, one.children))
    return "emptied_left", (
        f"{names} held rows of {one.set} before it was made plain again; empty, they stay its children until no "
        f"transaction is left that sees rows in them. To drop them then: {command('undo', one.set, '--yes')}"
    )


def _archive_gone(one: Leftover) -> tuple[str, str]:
    return "archive_missing", (
        f"{one.set} has a policy in {ARCHIVE_POLICY}, and there is no table {one.object}: every run of the archive "
        f"fails on it. If it is not wanted any more: DELETE FROM {ARCHIVE_POLICY} WHERE table_name = "
        f"{literal(str(one.set))};"
    )


def _cold(one: Leftover) -> tuple[str, str]:
    run = f"schema_kit archive run {shlex.quote(str(one.set))}"
    return "cold_unfinished", (
        f"{one.object} is in transit between the archive of {one.set} and its cold server, where a copy of its rows is "
        f"left that no partition shows. Run {run}, which resumes"
    )


def _published(one: Leftover) -> tuple[str, str]:
    root = "" if one.with_root else f" ALTER PUBLICATION {ident(one.publication)} ADD TABLE {one.object.sql};"
    return "published_by_leaf", (
        f"publication {one.publication} holds {one.count} partitions of {one.object} under their own names "
        f"({one.first}): a new partition is not known to subscribers, which stop at its first row or never get it. "
        f"op.set_publish_via_partition_root({one.publication!r}, subscribers_copy=True);{root} directly afterwards, "
        f"where it is subscribed: TRUNCATE {one.object.sql}; ALTER SUBSCRIPTION ... REFRESH PUBLICATION, which copies "
        "its rows again: what is committed in between is not sent"
    )


_LEFT = {
    "drain": _copy_left,
    "split": _copy_left,
    "convert": _copy_left,
    "bound": _bound,
    "kept": _kept,
    "emptied": _emptied,
    "archive": _archive_gone,
    "cold": _cold,
    "published": _published,
}
