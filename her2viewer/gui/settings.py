"""What the app remembers between starts, in one INI file. Each setting is declared once, here, with its default."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

import platformdirs
from PySide6.QtCore import QByteArray, QSettings

from her2viewer.cases.library.place import LIBRARY
from her2viewer.export.overlay import ColourMap, OverlayStyle, ScaleMode
from her2viewer.gui.bench import DeviceChoice, ModelWish
from her2viewer.gui.scale.typed import TypedScales, is_um_per_px
from her2viewer.gui.theme import ThemeChoice
from her2viewer.scoring.field_scorer import Precision

MOST_RECENT = 10

_Choice = TypeVar("_Choice", bound=str)


def settings_path() -> Path:
    """Where this user's settings are."""
    return Path(platformdirs.user_config_dir("HER2 Viewer", appauthor=False)) / "settings.ini"


class Settings:
    """Typed access. A value that cannot be understood (edited by hand, of another version) counts as not there."""

    def __init__(self, path: Path) -> None:
        self._store = QSettings(str(path), QSettings.Format.IniFormat)

    def _text(self, key: str, default: str = "") -> str:
        value = self._store.value(key, default)
        return value if isinstance(value, str) else default

    def _choice(self, key: str, allowed: tuple[_Choice, ...]) -> _Choice:
        """One of the allowed words; the first where none of them stands there."""
        value = self._text(key)
        return next((word for word in allowed if word == value), allowed[0])

    def _flag(self, key: str, default: bool) -> bool:
        return self._text(key, "true" if default else "false") == "true"

    def _set_flag(self, key: str, on: bool) -> None:
        self._store.setValue(key, "true" if on else "false")

    @property
    def fields_folder(self) -> Path:
        """Where the fields that were drawn on each pair are kept."""
        return Path(self._store.fileName()).parent / "fields"

    @property
    def theme(self) -> ThemeChoice:
        return self._choice("theme", tuple(ThemeChoice))

    @theme.setter
    def theme(self, choice: ThemeChoice) -> None:
        self._store.setValue("theme", choice.value)

    @property
    def model(self) -> ModelWish:
        folder = self._text("model/folder")
        device: DeviceChoice = self._choice("model/device", _DEVICES)
        precision: Precision = self._choice("model/precision", _PRECISIONS)
        return ModelWish(Path(folder) if folder else None, device, precision)

    @model.setter
    def model(self, wish: ModelWish) -> None:
        self._store.setValue("model/folder", str(wish.folder) if wish.folder is not None else "")
        self._store.setValue("model/device", wish.device)
        self._store.setValue("model/precision", wish.precision)

    @property
    def score_on_open(self) -> bool:
        """Whether a pair is scored as soon as it stands. Off: a reader may want to judge first."""
        return self._flag("score_on_open", False)

    @score_on_open.setter
    def score_on_open(self, on: bool) -> None:
        self._set_flag("score_on_open", on)

    @property
    def register_on_open(self) -> bool:
        """Whether a pair of unlike sizes is registered as soon as it stands, beside everything else."""
        return self._flag("register_on_open", False)

    @register_on_open.setter
    def register_on_open(self, on: bool) -> None:
        self._set_flag("register_on_open", on)

    @property
    def no_names(self) -> bool:
        """Whether exports leave out the names of cases and files."""
        return self._flag("export/no_names", False)

    @no_names.setter
    def no_names(self, on: bool) -> None:
        self._set_flag("export/no_names", on)

    @property
    def membranes_after_score(self) -> bool:
        """Whether the membranes are read as soon as a score is shown, in a lane of their own."""
        return self._flag("membranes_after_score", True)

    @membranes_after_score.setter
    def membranes_after_score(self, on: bool) -> None:
        self._set_flag("membranes_after_score", on)

    @property
    def library_file(self) -> Path:
        """Where the case library is, unless the app is told another place: beside the settings."""
        return Path(self._store.fileName()).parent / "library" / LIBRARY

    @property
    def blind_first(self) -> bool:
        """Whether the model is hidden until the reader has scored a case."""
        return self._flag("reading/blind_first", False)

    @blind_first.setter
    def blind_first(self, on: bool) -> None:
        self._set_flag("reading/blind_first", on)

    @property
    def demo_at_start(self) -> bool:
        """Whether the demo pair is opened at the start; only the first start does."""
        return self._flag("demo_at_start", True)

    @demo_at_start.setter
    def demo_at_start(self, on: bool) -> None:
        self._set_flag("demo_at_start", on)

    @property
    def style(self) -> OverlayStyle:
        """How maps were drawn last."""
        default = OverlayStyle()
        try:
            return OverlayStyle(
                float(self._text("map/opacity", str(default.opacity))),
                float(self._text("map/threshold", str(default.threshold))),
                ColourMap(self._text("map/colours", default.colour_map)),
                ScaleMode(self._text("map/scale", default.scale)),
                self._flag("map/fade", default.fade),
            )
        except ValueError:
            return default

    @style.setter
    def style(self, style: OverlayStyle) -> None:
        self._store.setValue("map/opacity", str(style.opacity))
        self._store.setValue("map/threshold", str(style.threshold))
        self._store.setValue("map/colours", style.colour_map.value)
        self._store.setValue("map/scale", style.scale.value)
        self._set_flag("map/fade", style.fade)

    @property
    def recent_pairs(self) -> list[tuple[Path, Path]]:
        """(H&E, IHC), the latest first."""
        try:
            listed = json.loads(self._text("recent_pairs", "[]"))
            return [(Path(he), Path(ihc)) for he, ihc in listed][:MOST_RECENT]
        except (ValueError, TypeError):
            return []

    def remember_pair(self, he: Path, ihc: Path) -> None:
        """Puts a pair first among the recent ones."""
        pair = (he, ihc)
        pairs = [pair, *(other for other in self.recent_pairs if other != pair)][:MOST_RECENT]
        self._store.setValue("recent_pairs", json.dumps([[str(a), str(b)] for a, b in pairs]))
        self._store.setValue("folder", str(he.parent))

    @property
    def folder(self) -> str:
        """The folder that images were last opened from."""
        return self._text("folder")

    @property
    def geometry(self) -> QByteArray:
        value = self._store.value("window/geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._store.setValue("window/geometry", value)

    @property
    def layout(self) -> QByteArray:
        """Where the panels stood."""
        value = self._store.value("window/layout")
        return value if isinstance(value, QByteArray) else QByteArray()

    @layout.setter
    def layout(self, value: QByteArray) -> None:
        self._store.setValue("window/layout", value)

    @property
    def typed_scales(self) -> TypedScales:
        """Pixel sizes that were typed, by image; those that no image can have are passed over."""
        found = self._json("scale/typed", {})
        pairs = found.items() if isinstance(found, dict) else ()
        return TypedScales(MappingProxyType({key: um for key, um in pairs if is_um_per_px(um)}))

    @typed_scales.setter
    def typed_scales(self, scales: TypedScales) -> None:
        self._store.setValue("scale/typed", json.dumps(dict(scales.um)))

    @property
    def hints_gone(self) -> list[str]:
        """The first-time hints that are not shown again."""
        return self._words("hints/gone")

    @hints_gone.setter
    def hints_gone(self, ids: Sequence[str]) -> None:
        self._store.setValue("hints/gone", json.dumps(list(ids)))

    @property
    def recent_commands(self) -> list[str]:
        """What was run by command search, the latest first."""
        return self._words("commands/recent")

    @recent_commands.setter
    def recent_commands(self, ids: Sequence[str]) -> None:
        self._store.setValue("commands/recent", json.dumps(list(ids)))

    def _words(self, key: str) -> list[str]:
        found = self._json(key, [])
        return [word for word in found if isinstance(word, str)] if isinstance(found, list) else []

    def _json(self, key: str, default: object) -> object:
        try:
            return json.loads(self._text(key, json.dumps(default)))
        except ValueError:
            return default

    def text_of(self, key: Literal["export/folder", "batch/out", "cases/folder", "reading/folder"]) -> str:
        """A folder chosen last, for a dialog."""
        return self._text(key)

    def set_text_of(self, key: Literal["export/folder", "batch/out", "cases/folder", "reading/folder"], text: str) -> None:
        self._store.setValue(key, text)

    def save(self) -> None:
        """Writes to disk now."""
        self._store.sync()


_DEVICES: tuple[DeviceChoice, ...] = ("auto", "cpu", "cuda")
_PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
