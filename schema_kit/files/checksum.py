"""A checksum of a column that does not depend on the order of its rows: each value hashed to 64 bits, and all added up.

It finds what a disk, a program or a careless hand has changed; against malice there is the file's SHA-256.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa

_ROWS, _BYTES = 16_384, 2 << 20  # at a time, so that what is computed stays near the processor
_LONG = 512  # bytes; longer values are hashed one by one
_FIRST, _SECOND, _THIRD = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_NULL = 0x5C17A3D20E6F48B1
_WRAP = (1 << 64) - 1
_WORDS = {1: "<i1", 2: "<i2", 4: "<i4", 8: "<i8"}


def checksum(array: pa.Array) -> int:
    """Return the sum, modulo 2 to the 64th, over the values of an array; sums of several arrays add up."""
    total = 0
    step = min(_ROWS, max(1, len(array) * _BYTES // max(1, array.nbytes)))
    for start in range(0, len(array), step):
        total += _some(array.slice(start, step))
    return total & _WRAP


def _some(array: pa.Array) -> int:
    hashes = _variable(array) if _has_lengths(array.type) else _fixed(array)
    if not array.null_count:
        return int(hashes.sum(dtype=np.uint64))
    there = np.asarray(array.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    return int(hashes[there].sum(dtype=np.uint64)) + _NULL * int(array.null_count)


def _has_lengths(of: pa.DataType) -> bool:
    return bool(pa.types.is_string(of) or pa.types.is_binary(of) or pa.types.is_large_string(of))


def _mixed(value: Any) -> Any:
    """splitmix64's last step: each bit of the input moves each bit of the output."""
    value = (value ^ (value >> np.uint64(30))) * _SECOND
    value = (value ^ (value >> np.uint64(27))) * _THIRD
    return value ^ (value >> np.uint64(31))


def _fixed(array: pa.Array) -> Any:
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    width = array.type.bit_width // 8
    data, start = array.buffers()[1], array.offset * width
    raw = data[start : start + len(array) * width] if data else b""
    if width in _WORDS:
        return _mixed(np.frombuffer(raw, dtype=_WORDS[width]).astype("<i8").view("<u8") + _FIRST)
    words = np.frombuffer(raw, dtype="<u8").reshape(len(array), width // 8)
    total = np.full(len(array), _FIRST)
    for place in range(words.shape[1]):
        total = _mixed((total ^ words[:, place]) * _FIRST + _SECOND)
    return total


def _variable(array: pa.Array) -> Any:
    offset_type = "<i8" if pa.types.is_large_string(array.type) else "<i4"
    _, ends, data = array.buffers()
    offsets = np.frombuffer(ends, dtype=offset_type)[array.offset : array.offset + len(array) + 1].astype("<i8")
    first, last = int(offsets[0]), int(offsets[-1])
    raw = np.zeros(last - first + 8, dtype="u1")
    if last > first:
        raw[:-8] = np.frombuffer(data, dtype="u1")[first:last]
    starts, lengths = offsets[:-1] - first, np.diff(offsets)
    words = np.ndarray((len(raw) - 7,), dtype="<u8", buffer=raw.data, strides=(1,))
    total = lengths.astype("<u8") * _FIRST + _SECOND
    active = np.flatnonzero((lengths > 0) & (lengths <= _LONG))
    done = 0
    while len(active):
        left = np.minimum(lengths[active] - done, 8).astype("<u8")
        found = words[starts[active] + done]
        found &= ~np.uint64(0) >> (np.uint64(64) - left * np.uint64(8))
        total[active] = ((total[active] ^ found) * _FIRST) ^ (found >> np.uint64(32))
        done += 8
        active = active[lengths[active] > done]
    for place in np.flatnonzero(lengths > _LONG):
        start = int(starts[place])
        digest = hashlib.blake2b(raw[start : start + int(lengths[place])].data, digest_size=8).digest()
        total[place] = int.from_bytes(digest, "little")
    return _mixed(total)
