"""CSV list uploads: the upload address, the file, and attaching it to a segment. It keeps no e-mail in clear.

Source: learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-list-uploads (2026).
"""

from __future__ import annotations

import csv
import io
import re
from hashlib import sha256
from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox import segments as life
from platforms.sandbox.directory import bare_host
from platforms.sandbox.linkedin_bodies import json_body
from platforms.sandbox.linkedin_gate import writable_account
from platforms.sandbox.linkedin_members import Unfit, company_key
from platforms.sandbox.linkedin_segments import segment_of
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import Key, World

MIN_ROWS, MAX_ROWS, MAX_BYTES = 300, 300_000, 20 * 1024 * 1024
COMPANY_COLUMNS = {
    "companyname": "companyName",
    "companywebsite": "companyWebsiteDomain",
    "companyemaildomain": "companyEmailDomain",
    "linkedincompanypageurl": "companyPageUrl",
}
HEX64 = re.compile(r"^[0-9a-fA-F]{64}$")


def generate_upload_url(world: World, call: Call) -> Answer:
    body = json_body(call)
    if set(body) != {"owner"}:
        raise err.schema("owner", err.REQUIRED)
    writable_account(world, call, str(body["owner"]), "dmpSegments.ACTION-generateUploadUrl")
    number = world.next_id("upload", 1)
    key = sha256(f"{world.seed}:upload:{number}".encode()).hexdigest()[:32]
    world.uploads[key] = None
    host = call.header("host") or "127.0.0.1"
    return json_answer(200, {"value": f"http://{host}/ambry/?x-li-ambry-ep={key}"})


def upload(world: World, call: Call) -> Answer:
    """Raw CSV bytes; the answer's Location becomes the media URN."""
    key = dict(p.partition("=")[::2] for p in call.query.split("&")).get("x-li-ambry-ep", "")
    if key not in world.uploads:
        raise err.plain(404, "Upload address not found")
    if len(call.body) > MAX_BYTES:
        raise err.plain(400, "File is larger than 20 MB")
    world.uploads[key] = call.body
    return Answer(201, b"", {"location": f"/AAYAAQ{key}.csv"})


def attach(world: World, call: Call) -> Answer:
    """One list per segment: another one replaces the first. Fewer than 300 rows make the segment FAILED."""
    segment = segment_of(world, call, child=True)
    if not segment.kind.endswith("LIST_UPLOAD"):
        raise err.plain(400, f"Segment {segment.segment_id} is of type {segment.kind}")
    body = json_body(call)
    if set(body) != {"inputFile"}:
        raise err.schema("inputFile", err.REQUIRED)
    match = re.match(r"^urn:li:media:/AAYAAQ([0-9a-f]{32})\.csv$", str(body["inputFile"]))
    data = world.uploads.get(match.group(1)) if match else None
    if data is None:
        raise err.plain(400, "inputFile not found")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig", "replace"))))
    if not MIN_ROWS <= len(rows) <= MAX_ROWS:
        segment.broken = "FAILED"
        return err.created(world.next_id("list_upload", 1))
    segment.broken = ""
    keys = _company_keys(world, segment.sent, rows) if segment.companies else _people(rows)
    adds, removes = life.replaced(world, segment, keys)
    life.push(world, segment, adds=adds, removes=removes, pushed=len(rows))
    return err.created(world.next_id("list_upload", 1))


def _company_keys(world: World, sent: dict[Key, dict[str, Any]], rows: list[dict[str, str]]) -> list[Key]:
    keys: list[Key] = []
    for row in rows:
        element = {wire: row[column].strip() for column, wire in COMPANY_COLUMNS.items() if row.get(column)}
        if "companyWebsiteDomain" in element:
            element["companyWebsiteDomain"] = bare_host(element["companyWebsiteDomain"])
        try:
            key = company_key(world, element)
        except Unfit:
            continue
        sent[key] = element
        keys.append(key)
    return keys


def _people(rows: list[dict[str, str]]) -> list[Key]:
    """E-mails plain or hashed; a plain one is hashed here by LinkedIn's own rule and then forgotten."""
    keys: list[Key] = []
    for row in rows:
        email = "".join((row.get("email") or "").split()).lower()
        if HEX64.match(email):
            keys.append(bytes.fromhex(email))
        elif email:
            keys.append(sha256(email.encode()).digest())
        elif row.get("firstname") and row.get("lastname"):
            keys.append("person:" + sha256(f"{row['firstname']}|{row['lastname']}".encode()).hexdigest()[:16])
    return keys


def hashed(body: bytes) -> bytes:
    """A contact list without its plain e-mails: what is kept of an upload. Other files stay as they are."""
    text = body.decode("utf-8-sig", "replace")
    reader = csv.DictReader(io.StringIO(text))
    if "email" not in (reader.fieldnames or ()):
        return body
    rows: list[dict[str, Any]] = []
    for row in reader:
        email = "".join((row.get("email") or "").split()).lower()
        known = HEX64.match(email) or not email
        rows.append({**row, "email": email if known else sha256(email.encode()).hexdigest()})
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(reader.fieldnames or ()), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
