#!/usr/bin/env python3
"""Checks an evidence log: a second reading of docs/reference/evidence.md, with Python's standard library alone.

usage: verify_log.py [--key HEX] DIRECTORY...

Prints one line of JSON for each log: standing, and of the first thing bad its reason, index and number of entries in doubt.
Exit code 0 if every log is verified, 1 if one is not. Slow, and of the events it checks the form but not each field.
"""

import base64
import hashlib
import json
import os
import re
import struct
import sys
import zlib

HEADER = bytes.fromhex("1f8b08000000000000ff")
ENTRY_MAX, EVENT_MAX = 51200, 50176
BATCH_MAX, ROTATED_MAX = 8192, 262144
ORIGIN = re.compile(r"bailiwick/log/[0-9a-f]{32}")
HEAD = re.compile(r'\{"format":"([^"]*)","origin":"([^"]*)","first":(0|[1-9][0-9]*)\}')
ENTRY = re.compile(rb'\{"time":(0|[1-9][0-9]*),"event":(.*)\}', re.S)
EVENTS = {
    "session.started", "session.ended", "call.authorised", "call.completed", "call.refused", "file.opened", "file.refused",
    "connection.refused", "name.refused", "system_call.refused", "log.recovered", "program.executed", "program.refused",
    "system_call.observed", "limit.reached", "policy.changed", "file.changed", "workspace.snapshotted", "workspace.restored",
    "workspace.committed", "walls.probed",
}  # fmt: skip

# Ed25519 (RFC 8032 section 5.1), by affine formulas over extended coordinates.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def compressed(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def verifies(key, message, signature):
    a, s = point(key), int.from_bytes(signature[32:], "little")
    if a is None or len(signature) != 64 or s >= L or times(8, a)[0] == 0:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus = (P - a[0], a[1], a[2], P - a[3])
    return compressed(add(times(s, BASE), times(h, minus))) == signature[:32]


class Bad(Exception):
    """Something does not hold: why, and which entries are in doubt for it."""

    def __init__(self, reason, index=0, entries=0):
        super().__init__(reason)
        self.reason, self.index, self.entries = reason, index, entries


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """RFC 6962 section 2.1; whole subtrees are kept by height until they are joined."""

    def __init__(self):
        self.size, self.parts, self.formed = 0, [], []

    def push(self, digest):
        self.size, height, self.formed = self.size + 1, 0, []
        while self.parts and self.parts[-1][0] == height:
            digest, height = node(self.parts.pop()[1], digest), height + 1
            self.formed.append((height, digest))
        self.parts.append((height, digest))

    def root(self):
        if not self.parts:
            return hashlib.sha256(b"").digest()
        digest = self.parts[-1][1]
        for _, left in reversed(self.parts[:-1]):
            digest = node(left, digest)
        return digest


def strict_base64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text and data else None


def checkpoint(note, origin, key, lonely):
    """What a signed note says: size and root."""
    text, found, below = note.rpartition("\n\n")
    if not found or not below.endswith("\n") or any(ord(c) < 32 and c != "\n" for c in note):
        raise Bad("not_a_checkpoint")
    text, signatures = text + "\n", []
    for line in below[:-1].split("\n"):
        match = re.fullmatch("\u2014 ([^\\s+]+) (\\S+)", line)
        data = strict_base64(match[2]) if match else None
        if data is None or len(data) < 5:
            raise Bad("not_a_checkpoint")
        signatures.append((match[1], data))
    lines = text[:-1].split("\n")
    if len(lines) != 3 or not ORIGIN.fullmatch(lines[0]) or not re.fullmatch("0|[1-9][0-9]*", lines[1]):
        raise Bad("not_a_checkpoint")
    root = strict_base64(lines[2])
    if root is None or len(root) != 32:
        raise Bad("not_a_checkpoint")
    if lines[0] != origin:
        raise Bad("origin")
    own = [data for name, data in signatures if name == origin]
    if len(own) != 1 or lonely and len(signatures) != 1:
        raise Bad("not_a_checkpoint")
    if own[0][:4] != key_id(origin, key):
        raise Bad("signer_key")
    if not verifies(key, text.encode(), own[0][4:]):
        raise Bad("signature")
    return int(lines[1]), root


def key_id(origin, key):
    return hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]


def unique(pairs):
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a field twice")
    return dict(pairs)


def read_entry(entry):
    match = ENTRY.fullmatch(entry)
    if not match or int(match[1]) >= 2**64:
        raise Bad("not_a_record")
    if len(entry) > ENTRY_MAX or len(match[2]) > EVENT_MAX:
        raise Bad("line_too_long")
    try:
        event = json.loads(match[2].decode("ascii"), object_pairs_hook=unique)
    except ValueError:
        raise Bad("event") from None
    if not isinstance(event, dict) or json.dumps(event, separators=(",", ":")).encode() != match[2]:
        raise Bad("event")
    session = event.get("session_id") or (event.get("subject") or {}).get("session_id")
    if event.get("type") not in EVENTS or event["type"] not in ("log.recovered", "call.refused") and not session:
        raise Bad("event")
    return event


class Story:
    """Sessions that start and end, calls that are announced and end."""

    def __init__(self):
        self.sessions, self.open, self.requests = {}, {}, set()

    def take(self, event):
        kind, request = event["type"], event.get("request_id")
        session = event.get("session_id") or (event.get("subject") or {}).get("session_id")
        turned_away = kind == "program.refused" and event.get("subject")
        if kind == "session.started" or turned_away:
            if session in self.sessions:
                raise Bad("started_again")
            self.sessions[session] = bool(turned_away)
            return
        if kind in ("call.authorised", "call.refused"):
            if request in self.requests:
                raise Bad("request_again")
            self.requests.add(request)
        if session and session not in self.sessions:
            raise Bad("before_start")
        if kind == "session.ended":
            if self.sessions[session]:
                raise Bad("ended_again")
            self.sessions[session] = True
        elif kind == "call.authorised":
            self.open[request] = session
        elif kind == "call.completed" and self.open.pop(request, None) != session:
            raise Bad("not_authorised")


def path(number):
    groups = f"{number:03}"
    groups = groups.zfill((len(groups) + 2) // 3 * 3)
    parts = [groups[at : at + 3] for at in range(0, len(groups), 3)]
    return "/".join(["x" + part for part in parts[:-1]] + parts[-1:])


def optional(name):
    try:
        with open(name, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


class Log:
    def __init__(self, directory, key):
        self.directory, self.key = directory, key
        self.tree, self.story, self.rows, self.gaps = Tree(), Story(), {}, {}
        self.waiting, self.proven, self.anchors, self.problem = [], 0, [], None

    def tile(self, level, number):
        data, at, width = optional(f"{self.directory}/tile/{level}/{path(number)}"), number * 256, 1 << 8 * level
        if data is not None and len(data) != 8192:
            raise Bad("tile_length", at * width, 256 * width)
        return data and [data[place : place + 32] for place in range(0, 8192, 32)]

    def bundle(self, number):
        data = optional(f"{self.directory}/tile/entries/{path(number)}.gz")
        if data is None:
            return None
        bad = lambda reason: Bad(reason, number * 256, 256)
        if not data.startswith(HEADER):
            raise bad("bundle_header")
        stream = zlib.decompressobj(-15)
        try:
            plain = stream.decompress(data[10:], 256 * (ENTRY_MAX + 2) + 1)
        except zlib.error:
            raise bad("bundle_stream") from None
        if not stream.eof or len(plain) > 256 * (ENTRY_MAX + 2):
            raise bad("bundle_stream")
        if stream.unused_data[:8] != struct.pack("<II", zlib.crc32(plain), len(plain)):
            raise bad("bundle_checksum")
        if len(stream.unused_data) > 8:
            raise bad("bundle_trailing")
        entries, at = [], 0
        while at + 2 <= len(plain):
            length = int.from_bytes(plain[at : at + 2], "big")
            if length > ENTRY_MAX or at + 2 + length > len(plain):
                break
            entries.append(plain[at + 2 : at + 2 + length])
            at += 2 + length
        if len(entries) != 256 or at != len(plain):
            raise bad("bundle_entries")
        return entries

    def chunk(self, number):
        """The entries and hashes of a full tile, held against each other; none for what is not there."""
        entries, hashes = self.bundle(number), self.tile(0, number)
        for at in range(256 if entries and hashes else 0):
            if leaf(entries[at]) != hashes[at]:
                raise Bad("tile_hash", number * 256 + at, 1)
        return entries, hashes

    def grow(self, digest):
        self.tree.push(digest)
        for height, formed in self.tree.formed:
            level = height // 8
            if height % 8:
                continue
            row = self.rows.setdefault(level, [])
            row.append(formed)
            if len(row) % 256 == 0:
                self.compare(level, len(row) // 256 - 1, row[-256:])
        self.meet()

    def compare(self, level, number, hashes):
        stored, width = self.tile(level, number), 1 << 8 * level
        if stored and level in self.gaps:
            raise Bad("tile_missing", self.gaps[level] * 256 * width, 256 * width)
        if stored is None:
            if (number + 1) * 256 * width <= self.first:
                raise Bad("tile_missing", number * 256 * width, 256 * width)
            self.gaps.setdefault(level, number)
            return
        for at in range(256):
            if stored[at] != hashes[at]:
                raise Bad("tile_hash", (number * 256 + at) * width, width)

    def unproven(self, reason):
        return Bad(reason, self.proven, self.tree.size - self.proven)

    def meet(self):
        while self.anchors and self.anchors[0][0] <= self.tree.size:
            if self.anchors.pop(0)[1] != self.tree.root():
                raise self.unproven("root")
            self.settle()

    def settle(self):
        waiting, self.waiting = self.waiting, []
        for index, event in waiting:
            self.tell(index, event)
        self.proven = self.tree.size

    def tell(self, index, event):
        try:
            self.story.take(event)
        except Bad as bad:
            raise Bad(bad.reason, index, 1) from None

    def read(self, entry, index):
        try:
            return read_entry(entry)
        except Bad as bad:
            raise Bad("padding" if b"\0" in entry else bad.reason, index, 1) from None

    def begin(self, line):
        match = HEAD.fullmatch(line.decode("utf-8", "replace"))
        if not match:
            raise Bad("not_a_head")
        if match[1] != "bailiwick-log-v2":
            raise Bad("format")
        if not ORIGIN.fullmatch(match[2]):
            raise Bad("not_a_head")
        self.origin, self.first = match[2], int(match[3])
        if self.first % 256:
            raise Bad("first")

    def look_beside(self):
        vkey = f"{self.origin}+{key_id(self.origin, self.key).hex()}+{base64.b64encode(bytes([1]) + self.key).decode()}\n"
        if optional(f"{self.directory}/log.vkey") not in (None, vkey.encode()):
            self.problem = self.problem or Bad("key_beside")
        if optional(f"{self.directory}/log.lock"):
            self.problem = self.problem or Bad("lock")
        for name in ("checkpoint", "checkpoint.witnessed"):
            note = optional(f"{self.directory}/{name}")
            try:
                if note is not None:
                    self.anchors.append(checkpoint(note.decode("utf-8", "replace"), self.origin, self.key, False))
            except Bad as bad:
                self.problem = self.problem or bad
        self.anchors.sort(key=lambda anchor: anchor[0])

    def stored(self):
        for number in range(self.first // 256):
            entries, hashes = self.chunk(number)
            if not entries or not hashes:
                raise Bad("tile_missing", number * 256, 256)
            for index, entry in enumerate(entries, number * 256):
                self.tell(index, self.read(entry, index))
            for digest in hashes:
                self.grow(digest)

    def live(self, data):
        at, line, torn = 0, 1, False
        self.since, self.since_max = 0, ROTATED_MAX if self.first else BATCH_MAX
        while at < len(data) and not torn:
            line, index = line + 1, self.tree.size
            end = data.find(b"\n", at)
            if end < 0:
                written = data[at:].rstrip(b"\0")
                if b"\0" in written:
                    raise Bad("padding", index, 1)
                if len(written) > ENTRY_MAX:
                    raise Bad("line_too_long", index, 1)
                torn, at = bool(written), len(data)
                continue
            text, at = data[at:end], end + 1
            if text.startswith(b'{"checkpoint":"'):
                self.confirm(text, self.first == 0 if line == 2 else self.since == 0)
                self.since, self.since_max = 0, BATCH_MAX
            else:
                self.entry(text, index)
        self.torn = torn

    def entry(self, text, index):
        event = self.read(text, index)
        number, place = divmod(index, 256)
        if place == 0:
            entries, self.derived = self.chunk(number)
            if (entries or self.derived) and 0 in self.gaps:
                raise Bad("tile_missing", self.gaps[0] * 256, 256)
            if self.derived and not entries:
                raise Bad("tile_missing", number * 256, 256)
            if not self.derived:
                self.gaps.setdefault(0, number)
        if self.derived and self.derived[place] != leaf(text):
            raise Bad("disagreement", index, 1)
        self.waiting.append((index, event))
        self.since += 1
        if self.since > self.since_max:
            raise Bad("no_checkpoint", index, 1)
        self.grow(leaf(text))

    def confirm(self, text, again):
        match = re.fullmatch(rb'\{"checkpoint":"([^"]*)"\}', text)
        try:
            note = match[1].decode().replace("\\n", "\n") if match else "\\"
            if "\\" in note:
                raise Bad("not_a_checkpoint")
            size, root = checkpoint(note, self.origin, self.key, True)
        except UnicodeDecodeError:
            raise self.unproven("not_a_checkpoint") from None
        except Bad as bad:
            raise self.unproven(bad.reason) from None
        if size != self.tree.size:
            raise self.unproven("size")
        if root != self.tree.root():
            raise self.unproven("root")
        if again:
            raise self.unproven("checkpoint_again")
        self.settle()

    def stray(self):
        for below, _, names in os.walk(f"{self.directory}/tile"):
            for name in names:
                name = os.path.relpath(f"{below}/{name}", f"{self.directory}/tile").removesuffix(".next")
                level, _, rest = name.partition("/")
                if level == "entries":
                    level, rest = "0", rest.removesuffix(".gz") if rest.endswith(".gz") else ""
                digits = rest.replace("/", "").replace("x", "")
                good = re.fullmatch("0|[1-9][0-9]*", level) and digits.isdigit() and path(int(digits)) == rest
                if not good or int(digits) >= self.proven >> 8 * (int(level) + 1):
                    raise Bad("stray_file", self.proven, 0)

    def check(self):
        data = optional(f"{self.directory}/log.jsonl")
        line, found, rest = data.partition(b"\n")
        if not data.strip(b"\0"):
            return "empty"
        if not found:
            raise Bad("not_a_head")
        self.begin(line)
        self.look_beside()
        self.meet()
        self.stored()
        self.live(rest)
        if self.anchors:
            raise Bad("shorter", self.tree.size, self.anchors[0][0] - self.tree.size)
        if self.problem:
            raise self.problem
        self.stray()
        if self.torn or self.tree.size > self.proven:
            return "unconfirmed_tail"
        return "verified" if self.proven else "empty"


def check(directory, key):
    if key is None:
        data = strict_base64(optional(f"{directory}/log.vkey").decode().strip().split("+", 2)[2])
        if data[:1] != b"\x01":
            raise SystemExit(f"{directory}: only Ed25519 is known here")
        key = data[1:]
    log = Log(directory, key)
    try:
        return {"standing": log.check(), "proven": log.proven}
    except Bad as bad:
        return {"standing": "broken", "reason": bad.reason, "index": bad.index, "entries": bad.entries, "proven": log.proven}


def main(arguments):
    key = None
    if arguments[:1] == ["--key"]:
        key, arguments = bytes.fromhex(arguments[1]), arguments[2:]
    if not arguments:
        raise SystemExit(__doc__)
    results = [check(directory, key) for directory in arguments]
    for result in results:
        print(json.dumps(result))
    return 0 if all(result["standing"] == "verified" for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
