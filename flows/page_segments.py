"""Segments on the page: rules and their effect, members, history, proposed edits of ``evenreach.yaml``.

A proposal changes nothing; writing one replaces the file in one step, and only where that is allowed.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from audiences import config as settings
from audiences.config_yaml import read_text
from audiences.errors import AudienceError
from audiences.segments import evaluate_universe
from flows.assess import Assessment, assess
from flows.files import write_atomically
from flows.page_part import in_page_words
from flows.page_plans import Plans
from flows.page_yaml import segment_text, with_segment
from flows.report.catalogue import say
from flows.segment_preview import previewed
from flows.web.errors import Invalid, Moved, NotFound
from flows.web.views import PreviewAccount, Proposal, RuleLine, SegmentLine, SegmentView, SizePoint
from flows.wiring import CONFIG

PROPOSALS = 50  # held in memory, the oldest is forgotten first
_COLUMNS = ("account_id", "name", "domain", "country", "industry", "employees", "tier", "fit", "intent")


@dataclass(frozen=True, slots=True)
class Drafted:
    """A proposal with the whole file it would make and the file it was made from."""

    proposal: Proposal
    text: str
    base: str


@dataclass
class Segments(Plans):
    """Definitions, who qualifies, and what a change would do."""

    drafts: dict[str, Drafted] = field(default_factory=dict)

    def segment(self, name: str) -> SegmentView:
        """Rules with what each kept and dropped, warnings, history, the definition itself."""
        line = self.segment_line(name)
        found = self._assessed().segments[name]
        sizes = self.app.store.segment_sizes(name)
        warnings = self._warnings(name)
        return SegmentView(
            line=replace(line, accounts=int(found.members.sum()), warnings=len(warnings)),
            rules=tuple(
                RuleLine(rule.words, rule.kept, rule.dropped, rule.unknown, rule.depth)
                for rule in found.rules
            ),
            yaml=segment_text(read_text(self.app.workspace / CONFIG), name),
            warnings=warnings,
            left_out=tuple(found.excluded.items()),
            held_out=len(found.version.holdout_ids),
            history=tuple(SizePoint(size.computed_on, size.size) for size in sizes),
            may_write=self.may_write,
        )

    def segment_line(self, name: str) -> SegmentLine:
        """As in the tables; the warnings are counted once they have been looked for."""
        line = super().segment_line(name)
        known = self.app.remembered.get("assessment")
        told: tuple[str, ...] = self.app.remembered.get(f"warnings {name}", (None, ()))[1] if known else ()
        return replace(line, warnings=len(told))

    def preview(self, name: str, limit: int) -> Sequence[PreviewAccount]:
        """The first ``limit`` qualifying accounts, best tier and score first. Companies only."""
        found = self._assessed()
        members = found.segments[self.known(name)].members
        accounts, scores = found.universe.accounts, found.scores.sort("account_id")
        missing = [column for column in _COLUMNS[:6] if column not in accounts.columns]
        frame = (
            accounts.with_columns(pl.lit(None).alias(column) for column in missing)
            .select(_COLUMNS[:6])
            .with_columns(scores.select(_COLUMNS[6:]))
            .filter(pl.Series(members))
            .sort("tier", "fit", "intent", "account_id", descending=[False, True, True, False])
        )
        return [PreviewAccount(*row) for row in frame.head(limit).iter_rows()]

    def warm(self) -> None:
        """Reports first, then what is worth a look in each segment, so that the overview can say so."""
        super().warm()
        for name in self.app.config.segments:
            self._warnings(name)

    def _assessed(self) -> Assessment:
        with in_page_words(), self.assessing:
            return assess(self.app, record=False)

    def _warnings(self, name: str) -> tuple[str, ...]:
        found = self._assessed()
        basis = id(found)
        kept = self.app.remembered.get(f"warnings {name}", (None, ()))
        if kept[0] == basis:
            words: tuple[str, ...] = kept[1]
            return words
        with in_page_words():
            words = tuple(one.words for one in previewed(self.app, found, name)[1])
        self.app.remembered[f"warnings {name}"] = (basis, words)
        return words

    # -- edits ------------------------------------------------------------------

    def propose_edit(self, name: str, yaml: str, *, who: str) -> Proposal:
        """Check a changed definition and count its effect; change nothing."""
        base = read_text(self.app.workspace / CONFIG)
        before = segment_text(base, self.known(name))
        yaml = yaml.strip("\n") + "\n"
        diff = "\n".join(difflib.unified_diff(before.splitlines(), yaml.splitlines(), lineterm="", n=3))
        key = hashlib.sha256(f"{name}\n{base}\n{yaml}".encode()).hexdigest()[:16]
        made = Proposal(key, name, yaml, diff, may_write=self.may_write)
        text = with_segment(base, name, yaml)
        try:
            changed = settings.parse(text, file=CONFIG)
            if name not in changed.segments:
                raise Invalid(say("proposal.keep_name", name=name))
            made = self._counted(made, changed)
        except (AudienceError, Invalid) as error:
            words = error.message if isinstance(error, Invalid) else str(error)
            made = replace(made, problems=tuple(line for line in words.splitlines() if line.strip()))
        self.drafts[key] = Drafted(made, text, base)
        while len(self.drafts) > PROPOSALS:
            self.drafts.pop(next(iter(self.drafts)))
        self.note(who, "propose", name, proposal=key)
        return made

    def _counted(self, made: Proposal, changed: settings.Config) -> Proposal:
        found = self._assessed()
        then = found.segments[made.segment].members
        now = evaluate_universe(changed, found.universe, found.scores)[made.segment].members
        joined, left = int((now & ~then).sum()), int((then & ~now).sum())
        told = (say("proposal.effect", joined=joined, left=left),) if joined or left else ()
        return replace(made, warnings=told, accounts_before=int(then.sum()), accounts_after=int(now.sum()))

    def proposal(self, proposal_id: str) -> Proposal:
        return self._draft(proposal_id).proposal

    def write_edit(self, proposal_id: str, *, who: str) -> Proposal:
        """Write a proposal into the file. Raises Invalid when not allowed, Moved when the file has changed."""
        draft = self._draft(proposal_id)
        if draft.proposal.problems:
            raise Invalid(say("proposal.not_used"), fields={"yaml": draft.proposal.problems[0]})
        if not self.may_write:
            raise Invalid(say("proposal.no_writing"))
        path = self.app.workspace / CONFIG
        with self.guard:
            if read_text(path) != draft.base:
                where = f"/segments/{draft.proposal.segment}"
                raise Moved(say("proposal.moved"), path=where)
            write_atomically(path, draft.text)
            self.app.config = settings.load(path)
        written = replace(draft.proposal, written=True)
        self.drafts[proposal_id] = replace(draft, proposal=written)
        self.note(who, "write", draft.proposal.segment, proposal=proposal_id)
        return written

    def _draft(self, proposal_id: str) -> Drafted:
        if proposal_id not in self.drafts:
            raise NotFound(say("error.no_proposal"))
        return self.drafts[proposal_id]
