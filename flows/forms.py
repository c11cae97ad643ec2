"""What a person reads beside each parameter of a run, and what may be chosen. No flow and no default is here.

Prefect builds its forms from these; every parameter is a name, a date or a number, never a row or a person.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

LOOK, SEND = "dry run", "send"
SHADOW, PROPOSE = "shadow", "propose"


def _said(title: str, description: str, **limits: Any) -> Any:
    """Words in a place Prefect leaves alone: it puts the parameter's name over a plain title."""
    return Field(json_schema_extra={"title": title, "description": description}, **limits)


Workspace = Annotated[str, _said("Workspace", "Folder with evenreach.yaml.")]
Segment = Annotated[str, _said("Segment", "Name of a segment of evenreach.yaml.")]
Platform = Annotated[
    Literal["linkedin", "google", "files"],
    _said("Platform", "Where the lists are; it must be set up in evenreach.yaml."),
]
Sending = Annotated[
    Literal["dry run", "send"],
    _said("Mode", "dry run: only say what would be added and removed. send: do it. Schedules always send."),
]
Shrink = Annotated[
    int,
    _said(
        "Accept shrink",
        "Only after a brake has stopped the run: the number of leavers it named, to let them go. "
        "It counts for no more than that.",
        ge=0,
    ),
]
Approver = Annotated[
    str,
    _said("Approved by", "Your name; needed with Accept shrink, and kept in the audit log.", max_length=100),
]
Because = Annotated[str, _said("Because", "Why so many may leave; kept in the audit log.", max_length=200)]
Planning = Annotated[
    Literal["shadow", "propose"],
    _said(
        "Mode",
        "shadow: plan and record, never carried out. propose: the plan waits for a person (or goes ahead "
        "when it is smaller than approvals: auto_below). Schedules propose.",
    ),
]
Days = Annotated[
    int,
    _said("Days", "How many of the newest days are read again, because platforms restate them.", ge=1, le=90),
]
File = Annotated[
    str,
    _said(
        "File",
        "Name of a file in the folder inbox of the workspace (CSV, XLSX or Parquet), e.g. fair.csv.",
        min_length=1,
        max_length=200,
    ),
]
ListName = Annotated[
    str,
    _said("Name of the list", "The same name is the same list. Empty: the file's name.", max_length=200),
]
Owner = Annotated[
    str,
    _said("Owner", "Team that answers for the list. Empty: who runs it.", max_length=100),
]
Note = Annotated[str, _said("Note", "What the list is for.", max_length=200)]
Until = Annotated[
    date | None,
    _said("Ends on", "The day everybody is taken off the list again. Empty: never."),
]
FirstParty = Annotated[
    bool,
    _said(
        "First party", "The people in the file gave you their details themselves (Google takes no others)."
    ),
]
Consented = Annotated[
    bool,
    _said(
        "Consented",
        "They agreed to be reached by ads, where the file does not say (Google takes no others).",
    ),
]
