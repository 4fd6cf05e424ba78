"""Who turns a wish to register, a landmark or a nudge into the alignment that is in force."""

from collections.abc import Callable
from dataclasses import replace

from her2viewer.errors import UserError
from her2viewer.gui.compare.state import CompareMode
from her2viewer.gui.controllers.messenger import Level, Messenger, Remedy
from her2viewer.gui.lanes import Context, Lane, Progress
from her2viewer.gui.registration.landmarks import Landmarks, Spot
from her2viewer.gui.registration.state import Registration
from her2viewer.gui.registration.work import Register, Wish
from her2viewer.gui.resolve.pane import resolve_pane
from her2viewer.gui.state import State
from her2viewer.gui.store import Store
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.registration.landmarks import by_landmarks
from her2viewer.scoring.stains import Stain

_TOPIC = "registration"


class RegistrationController:
    """Keeps `State.registration`. What is in force changes only when something better is there."""

    def __init__(self, store: Store, lane: Lane, messenger: Messenger, register: Register) -> None:
        self._store = store
        self._lane = lane
        self._messenger = messenger
        self._register = register
        self._settled: list[Callable[[], object]] = []
        store.listen(self._on_state)

    def register(self, *, bend: bool = False, asked: bool = True) -> None:
        """Registers the pair on screen in a lane of its own. Not asked for, it says only what has to be known."""
        pair = self._store.state.pair
        if pair is None:
            return
        self._change(progress=_progress(0.0), error=None)
        wish = Wish(pair[0].source, pair[1].source, self._um(Stain.HE), self._um(Stain.IHC), bend)

        def work(context: Context) -> Alignment:
            try:
                return self._register(wish, context.token.check, lambda share: context.progress(_progress(share)))
            except Exception:
                context.token.check()  # the images were closed under it, and nobody waits for it any more
                raise

        self._lane.submit(
            _TOPIC,
            work,
            lambda alignment: self._on_registered(alignment, asked=asked),
            failed=self._on_failed,
            cancelled=self._on_end,
            progressed=lambda progress: self._change(progress=progress),
        )

    def cancel(self) -> None:
        """Stops a registration that is under way."""
        if self._registration.progress is not None:
            self._lane.drop(_TOPIC)
            self._on_end()

    def when_settled(self, act: Callable[[], object]) -> None:
        """Acts now, or once the registration that is under way has ended, however it ended."""
        if self._registration.progress is None:
            act()
        else:
            self._settled.append(act)

    def undo(self) -> None:
        """The alignment before this one."""
        self._put(self._registration.undone())

    def align_by_hand(self, he_to_ihc: Affine) -> None:
        """The user says so; a bend that was in force goes with the alignment it belonged to."""
        self._put(self._registration.aligned(Alignment(he_to_ihc, origin="by hand")))

    def set_landmarks(self) -> None:
        """Begins to set landmarks, with both images beside each other, or leaves them."""
        state = self._store.state
        if state.registration.setting:
            self.leave()
        elif state.pair is not None:
            self._store.change(
                registration=replace(state.registration, setting=True),
                comparison=replace(state.comparison, mode=CompareMode.SIDE_BY_SIDE),
            )

    def leave(self) -> None:
        """Leaves the landmarks; the alignment stays, and so do they, for the next time."""
        self._change(setting=False)

    def place(self, stain: Stain, at: Spot) -> None:
        self._refit(self._registration.landmarks.placed(stain, at))

    def move(self, index: int, stain: Stain, at: Spot) -> None:
        self._refit(self._registration.landmarks.moved(index, stain, at))

    def choose(self, index: int) -> None:
        self._change(landmarks=replace(self._registration.landmarks, chosen=index))

    def delete_chosen(self) -> None:
        self._refit(self._registration.landmarks.without_chosen())

    def clear(self) -> None:
        self._refit(Landmarks(bend=self._registration.landmarks.bend))

    def bend(self, on: bool) -> None:
        self._refit(replace(self._registration.landmarks, bend=on))

    @property
    def _registration(self) -> Registration:
        return self._store.state.registration

    def _um(self, stain: Stain) -> float | None:
        """Micrometres per level-0 px, as the window has them."""
        return resolve_pane(self._store.state, stain).um_per_px

    def _refit(self, landmarks: Landmarks) -> None:
        """Landmarks changed: the alignment follows where they say enough, and goes back where they no longer do."""
        registration = replace(self._registration, landmarks=landmarks, error=None)
        pair, alignment = self._store.state.pair, registration.alignment
        if pair is None or alignment is None or self._same_spots(landmarks):
            self._put(registration)
            return
        if len(landmarks.complete) < 2:
            self._put(registration.undone() if alignment.origin == "landmarks" else registration)
            return
        try:
            fitted = by_landmarks(
                landmarks.points(Stain.HE),
                landmarks.points(Stain.IHC),
                pair[1].source,
                ihc_um=self._um(Stain.IHC),
                mirrored=alignment.he_to_ihc.mirrored,
                bend=landmarks.bend,
            )
            self._put(registration.aligned(fitted))
        except UserError as error:
            self._put(replace(registration, error=error))

    def _same_spots(self, landmarks: Landmarks) -> bool:
        """Whether nothing that decides the alignment has changed: one was taken hold of, or begun in one image."""
        now = self._registration.landmarks
        complete = [landmarks.marks[i] for i in landmarks.complete]
        return landmarks.bend == now.bend and complete == [now.marks[i] for i in now.complete]

    def _on_registered(self, alignment: Alignment, *, asked: bool) -> None:
        if alignment.poor:
            self._say_poor(f"{alignment.words}. The panes stay as they were.")
        else:
            self._put(self._registration.aligned(alignment))
            if asked:
                self._messenger.say(f"{alignment.words}.", Level.INFO, Remedy("Undo", self.undo))
        self._on_end()

    def _on_failed(self, error: UserError) -> None:
        self._change(error=error)
        self._say_poor(str(error))
        self._on_end()

    def _say_poor(self, words: str) -> None:
        def begin() -> None:
            if not self._registration.setting:
                self.set_landmarks()

        self._messenger.say(words, Level.WARNING, Remedy("Set landmarks", begin))

    def _on_end(self) -> None:
        self._change(progress=None)
        settled, self._settled = self._settled, []
        for act in settled:
            act()

    def _change(self, **fields: object) -> None:
        self._put(replace(self._registration, **fields))  # type: ignore[arg-type]

    def _put(self, registration: Registration) -> None:
        if registration is not self._registration:
            self._store.change(registration=registration)

    def _on_state(self, old: State, new: State) -> None:
        """Work on a pair that is no longer there is not waited for; nor is what should have come after it."""
        if old.registration.progress is not None and new.pair != old.pair:
            self._lane.drop(_TOPIC)
            self._settled.clear()


def _progress(share: float) -> Progress:
    return Progress(round(share * 100), 100 if share > 0 else 0, "Registering")
