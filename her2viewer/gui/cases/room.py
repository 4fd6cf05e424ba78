"""The cases of a session: the list beside the panes, paging, thumbnails, the next pair opened ahead, scores that stay."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from her2viewer.cases.names import without_label
from her2viewer.cases.pair import Pair, Pairing, pair_files
from her2viewer.cases.pairing import pairs_from
from her2viewer.errors import UserError
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.cases.cases import CaseKey, CaseStatus, Outcome, key_of
from her2viewer.gui.cases.kept import KeptScores, Stamps
from her2viewer.gui.cases.panel import CasePanel
from her2viewer.gui.cases.prefetch import PrefetchingOpener
from her2viewer.gui.cases.shown import next_case, relevant_to_cases, resolve_cases
from her2viewer.gui.cases.thumbnails import Thumbnails
from her2viewer.gui.command_search import Command
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.parts import Parts
from her2viewer.gui.state import ScorePhase, State
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.stains import Stain


class CasesRoom:
    """Ties the list to the images and scores on screen. `panel` is what stands in the dock."""

    def __init__(self, parts: Parts, opener: PrefetchingOpener) -> None:
        self._parts = parts
        self._opener = opener
        self._kept = KeptScores()
        self._thumbnails = Thumbnails(parts.lanes.files, parts.opener, parts.window)
        self.panel = CasePanel(self._thumbnails.get)
        self._tie()

    def _tie(self) -> None:
        parts, panel = self._parts, self.panel
        parts.images.on_pair_opened.append(self._on_pair)
        parts.images.on_refused.append(self._on_refused)
        panel.opened.connect(self.open)
        panel.filtered.connect(self._filter)
        panel.folder_wanted.connect(self.choose_folder)
        panel.seen_changed.connect(self._want_thumbnails)
        self._thumbnails.made.connect(panel.list.rows.repaint)
        self._thumbnails.refused.connect(self._on_unreadable)
        parts.store.listen(self._on_state)
        panel.show_cases(resolve_cases(parts.store.state))

    def handlers(self) -> Mapping[Id, Callable[[], object]]:
        """Who does what, for the window's actions."""
        return {
            Id.OPEN_FOLDER: self.choose_folder,
            Id.NEXT_CASE: lambda: self.page(1),
            Id.PREVIOUS_CASE: lambda: self.page(-1),
            Id.FILTER_CASES: self._go_to_filter,
        }

    def commands(self) -> Sequence[Command]:
        """The cases at hand and the pairs opened lately, for command search."""
        state = self._parts.store.state
        listed = {key_of(row.pair): row for row in resolve_cases(state).rows}
        commands = [
            Command(
                f"case {row.name}",
                f"Case {row.name}",
                row.state,
                f"{row.label} {row.words}",
                "",
                row.sign,
                partial(self.open, row.pair),
            )
            for row in listed.values()
        ]
        for he, ihc in self._parts.settings.recent_pairs:
            if (he, ihc) not in listed and (he, ihc) not in state.readings.known:
                pair = pair_files(he, ihc)
                hidden = state.readings.hides_case(he, ihc)
                name, label = (without_label(pair.case_id), "") if hidden else (pair.case_id, pair.label or "")
                commands.append(
                    Command(
                        f"case {he}",
                        f"Recent case {name}",
                        str(he.parent),
                        label,
                        "",
                        "clock-counter-clockwise",
                        partial(self.open, pair),
                    )
                )
        return commands

    def choose_folder(self) -> None:
        """Asks for a folder of pairs, without blocking the window."""
        settings = self._parts.settings
        dialog = QFileDialog(self._parts.window, "A folder of pairs", settings.text_of("cases/folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: self.open_folder(Path(folder)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def open_folder(self, folder: Path) -> None:
        """Lists the pairs of a folder, by the rules that a batch goes by. Nothing is opened but the first, if none is."""
        parts = self._parts
        parts.settings.set_text_of("cases/folder", str(folder))
        self._change(looking=folder.name)
        parts.lanes.files.submit(
            "cases",
            lambda _: pairs_from(folder),
            lambda pairing: self._on_found(folder, pairing),
            failed=self._on_not_found,
        )

    def open(self, pair: Pair) -> None:
        """Opens a case."""
        self._change(at=key_of(pair))
        self._parts.lanes.files.drop("prefetch")
        self._parts.images.open(dict(zip((Stain.HE, Stain.IHC), pair.both, strict=True)))

    def page(self, step: int) -> None:
        """To the next case, or the one before."""
        pair = next_case(self._parts.store.state, step)
        if pair is not None:
            self.open(pair)

    def close(self) -> None:
        """Once the lanes have ended: closes what was opened ahead."""
        self._opener.close()

    def _on_found(self, folder: Path, pairing: Pairing) -> None:
        store = self._parts.store
        store.change(cases=store.state.cases.with_folder(folder.name, pairing))
        if store.state.pair is None:
            self.page(1)

    def _on_not_found(self, error: UserError) -> None:
        self._change(looking="")
        self._parts.window.messages.say_error(error)

    def _on_pair(self, he: Path, ihc: Path) -> None:
        store = self._parts.store
        store.change(cases=store.state.cases.with_opened(he, ihc))
        for image in store.state.pair or ():
            self._thumbnails.take(image)
        evidence = self._kept_evidence((he, ihc))
        if evidence is not None:
            self._parts.scoring.show(evidence)
        self._prefetch()

    def _on_refused(self, files: Mapping[Stain, Path], errors: Mapping[Stain, UserError]) -> None:
        if len(files) < len(Stain):
            return
        self._fail(files[Stain.HE], files[Stain.IHC], next(iter(errors.values())))

    def _on_unreadable(self, path: Path, error: UserError) -> None:
        cases = self._parts.store.state.cases
        for pair in cases.pairs:
            if path in key_of(pair) and cases.outcome(pair).status is CaseStatus.NOT_OPENED:
                self._fail(*pair.both, error)

    def _fail(self, he: Path, ihc: Path, error: UserError) -> None:
        cases = self._parts.store.state.cases
        pair = cases.of(he, ihc)
        if pair is not None:
            self._parts.store.change(cases=cases.with_outcome(pair, _failed(error)))

    def _kept_evidence(self, key: CaseKey) -> Evidence | None:
        facts = self._parts.store.state.model.facts
        return self._kept.find(key, self._stamps(key), facts.identity) if facts is not None else None

    def _stamps(self, key: CaseKey) -> Stamps:
        return tuple(self._opener.stamp(path) for path in key)

    def _prefetch(self) -> None:
        """The next case, one image at a time, so that what the user asks for meanwhile waits for one at most."""
        pair = next_case(self._parts.store.state, 1)
        if pair is None:
            return
        files = self._parts.lanes.files
        opener, key = self._opener, key_of(pair)
        # What cannot be opened ahead says so when it is asked for.

        def then(_: None) -> None:
            files.submit("prefetch", lambda _: opener.ahead(key[1], key))

        files.submit("prefetch", lambda _: opener.ahead(key[0], key), then)

    def _on_state(self, old: State, new: State) -> None:
        if old.scoring is not new.scoring:
            self._record(new)
        if relevant_to_cases(old) != relevant_to_cases(new):
            shown = resolve_cases(self._parts.store.state)
            self.panel.set_filter(new.cases.filter)
            self.panel.show_cases(shown)
            self._want_thumbnails()
            self._parts.window.actions_.set_enabled(
                {
                    Id.NEXT_CASE: bool(shown.rows),
                    Id.PREVIOUS_CASE: bool(shown.rows),
                    Id.FILTER_CASES: bool(new.cases.pairs),
                }
            )

    def _record(self, state: State) -> None:
        """What the scoring of the whole image came to stays with its case; a field's score is not the image's."""
        if state.pair is None or state.scoring.key is not None:
            return
        he, ihc = (image.source.path for image in state.pair)
        pair = state.cases.of(he, ihc)
        outcome: Outcome | None = None
        evidence = state.scoring.evidence or state.scoring.sealed
        if evidence is not None:
            alignment = state.scoring.alignment
            if alignment is None or alignment.origin == "assumed":  # an opened pair lies as it is assumed to
                self._kept.keep((he, ihc), self._stamps((he, ihc)), evidence)
            reason = evidence.prediction.no_call
            status = CaseStatus.NO_CALL if reason else CaseStatus.SCORED
            outcome = Outcome(status, evidence.prediction.score, reason or "")
        elif state.scoring.phase is ScorePhase.FAILED and state.scoring.error is not None:
            outcome = _failed(state.scoring.error)
        if pair is not None and outcome is not None and outcome != state.cases.outcome(pair):
            self._parts.store.change(cases=state.cases.with_outcome(pair, outcome))

    def _want_thumbnails(self) -> None:
        seen = self.panel.list.seen()
        self._thumbnails.want([path for row in seen for path in key_of(row.pair)])

    def _filter(self, text: str) -> None:
        self._change(filter=text)

    def _go_to_filter(self) -> None:
        self._parts.window.docks.show_panel(Panel.CASES)
        self.panel.filter.setFocus()
        self.panel.filter.selectAll()

    def _change(self, **fields: object) -> None:
        store = self._parts.store
        store.change(cases=replace(store.state.cases, **fields))  # type: ignore[arg-type]


def _failed(error: UserError) -> Outcome:
    """The row names the case: the file's name would say it twice."""
    return Outcome(CaseStatus.FAILED, why=f"{error.what}; {error.remedy}")
