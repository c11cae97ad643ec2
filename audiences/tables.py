"""Every table of the record, as SQLModel shapes. No methods, no queries, no session.

Words are stored as text (the values of the enums in ``model``), moments as UTC,
days as ``date``, digests as 32 raw bytes. Ledger-sized tables carry small
integers in place of long ids, no foreign key (it would be checked per row of a
bulk load) and, on SQLite, no hidden row id.
"""

from __future__ import annotations

from audiences.tables_base import Table
from audiences.tables_decisions import (
    AlertRow,
    AuditRow,
    BandStateRow,
    ErasureRow,
    ImpressionRow,
    ImpressionTotalRow,
    LeaseRow,
    MoveRow,
    OneOffRow,
    PaceRow,
    PlanRow,
    QuotaRow,
    ReportScopeRow,
    ReportWindowRow,
    SettingRow,
    SuppressionRow,
)
from audiences.tables_lists import (
    AccountRow,
    AudienceRow,
    AudienceStatusRow,
    ContactRow,
    DeadLetterRow,
    ImportRow,
    LedgerRow,
    OrganizationLinkRow,
    PushBatchRow,
    QuarantineRow,
    RejectRow,
    ScoreRow,
    SegmentVersionRow,
    SignalRow,
)

__all__ = [
    "AccountRow",
    "AlertRow",
    "AudienceRow",
    "AudienceStatusRow",
    "AuditRow",
    "BandStateRow",
    "ContactRow",
    "DeadLetterRow",
    "ErasureRow",
    "ImportRow",
    "ImpressionRow",
    "ImpressionTotalRow",
    "LeaseRow",
    "LedgerRow",
    "MoveRow",
    "OneOffRow",
    "OrganizationLinkRow",
    "PaceRow",
    "PlanRow",
    "PushBatchRow",
    "QuarantineRow",
    "QuotaRow",
    "RejectRow",
    "ReportScopeRow",
    "ReportWindowRow",
    "ScoreRow",
    "SegmentVersionRow",
    "SettingRow",
    "SignalRow",
    "SuppressionRow",
    "Table",
]
