import hashlib
import json
import pickle  # noqa: TID251  the attack that is tested here
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from her2viewer.errors import PackageError
from her2viewer.scoring.evidence import MapRequest
from her2viewer.scoring.guard.familiarity import Cloud, Reference
from her2viewer.scoring.package import (
    ModelManifest,
    ModelPackage,
    bundled_packages,
    familiarity_section,
    open_package,
    write_package,
)
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import manifest, random_network


def edit(folder: Path, **changes: object) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_written_package_opens_as_it_was(package: ModelPackage) -> None:
    opened = open_package(package.folder)
    assert opened.manifest == package.manifest
    assert opened.manifest.identity.sha256 != "0" * 64
    weights = opened.weights()
    for name, tensor in random_network().state_dict().items():
        if tensor.is_floating_point():
            assert np.array_equal(weights[name], tensor.numpy()), name
    assert opened.card == "# Random weights\n"


def test_manifest_survives_json(package: ModelPackage) -> None:
    again = ModelManifest.model_validate_json(package.manifest.model_dump_json(by_alias=True))
    assert again == package.manifest
    assert json.loads(package.manifest.model_dump_json(by_alias=True))["schema"] == "her2viewer.model/1"


def test_half_precision_is_stored_and_read_as_float32(tmp_path: Path) -> None:
    half = manifest(weights={"sha256": "0" * 64, "dtype": "float16"})
    written = write_package(tmp_path / "half", half, {"fc.bias": np.array([0.1, 2, 3, 4])}, "card")
    (array,) = written.weights().values()
    assert array.dtype == np.float32
    assert array == pytest.approx([0.1, 2, 3, 4], abs=1e-4)
    assert (written.folder / "weights.safetensors").stat().st_size < 200


@pytest.mark.parametrize("missing", ["model.json", "weights.safetensors", "MODEL_CARD.md"])
def test_incomplete_folder_is_refused(package_folder: Path, missing: str) -> None:
    (package_folder / missing).unlink()
    with pytest.raises(PackageError, match=f"{missing} is missing; choose a folder"):
        open_package(package_folder)


def test_one_changed_byte_is_refused(package_folder: Path) -> None:
    path = package_folder / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(PackageError, match=r"weights\.safetensors: .*SHA-256 differs.*; do not use"):
        Scorer.open(open_package(package_folder), "cpu")


class _Bomb:
    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize("data", [pickle.dumps(_Bomb()), b"", b"\xff" * 64, b"{}"])
def test_anything_but_safetensors_is_refused_even_with_its_right_hash(package_folder: Path, data: bytes) -> None:
    (package_folder / "weights.safetensors").write_bytes(data)
    edit(package_folder, weights={"sha256": hashlib.sha256(data).hexdigest(), "dtype": "float32"})
    with pytest.raises(PackageError, match="not a safetensors file"):
        open_package(package_folder).weights()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"schema": "her2viewer.model/2"}, "schema"),
        ({"classes": ["0"]}, "classes"),
        ({"architecture": "vit"}, "architecture"),
        ({"calibration": {"temperature": 0}}, r"calibration\.temperature"),
        ({"unknown": 1}, "unknown"),
        ({"name": "../../evil"}, "name"),
        ({"weights": {"sha256": "short", "dtype": "float32"}}, r"weights\.sha256"),
    ],
)
def test_other_schemas_are_refused_with_the_place(package_folder: Path, changes: dict[str, object], word: str) -> None:
    edit(package_folder, **changes)
    with pytest.raises(PackageError, match=f"{word} does not fit the schema"):
        open_package(package_folder)


@pytest.mark.parametrize("text", ["", "not json", "[]", "\udcff"])
def test_a_manifest_that_is_not_json_is_refused(package_folder: Path, text: str) -> None:
    (package_folder / "model.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(PackageError):
        open_package(package_folder)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    written = write_package(tmp_path / "other", manifest(), {"conv1.weight": np.zeros((1, 1))}, "card")
    with pytest.raises(PackageError, match="do not fit a resnet18"):
        Scorer.open(written, "cpu")


def test_class_names_that_do_not_match_the_weights_are_refused(package_folder: Path) -> None:
    edit(package_folder, classes=["0", "1+", "2+"])
    with pytest.raises(PackageError, match=r"4 classes apart and model\.json names 3"):
        Scorer.open(open_package(package_folder), "cpu")


def test_writing_never_replaces_and_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(PackageError, match="something of that name"):
        write_package(tmp_path / "taken", manifest(), {}, "card")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write_package(tmp_path / "fresh", manifest(), {"a": np.zeros(3)}, "card")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("folder", bundled_packages(), ids=lambda path: path.name)
def test_bundled_packages_are_whole(folder: Path) -> None:
    package = open_package(folder)
    scorer = Scorer.open(package, "cpu")
    assert scorer.fixed_peak(MapRequest("2+")) is not None
    assert package.manifest.classes == ("0", "1+", "2+", "3+")
    assert package.manifest.calibration.conformal is not None
    assert package.manifest.metrics
    assert "research" in package.card.lower()


def reference() -> Reference:
    features = np.random.default_rng(0).normal(1, 0.2, (30, 512)).astype(np.float32)
    return Reference({stain: Cloud.around(features, 4) for stain in Stain}, {Stain.HE: 1.5, Stain.IHC: 1.25})


def test_what_a_package_knows_of_its_training_comes_back(package: ModelPackage, tmp_path: Path) -> None:
    section, data = familiarity_section(reference(), 30)
    written = write_package(tmp_path / "known", manifest(familiarity=section), package.weights(), "card", data)
    read = open_package(written.folder).familiarity()
    assert read is not None and read.limits == reference().limits
    for stain, cloud in reference().clouds.items():
        assert np.array_equal(read.clouds[stain].axes, cloud.axes)
    assert package.familiarity() is None


@pytest.mark.parametrize("spoil", ["changed", "gone", "other"])
def test_a_reference_that_is_not_its_own_is_refused(package: ModelPackage, tmp_path: Path, spoil: str) -> None:
    section, data = familiarity_section(reference(), 30)
    other = safetensors.numpy.save({"he.centre": np.zeros(3)})
    if spoil == "other":
        section = section.model_copy(update={"sha256": hashlib.sha256(other).hexdigest()})
    written = write_package(tmp_path / "known", manifest(familiarity=section), package.weights(), "card", data)
    file = written.folder / "familiarity.safetensors"
    if spoil == "gone":
        file.unlink()
    else:
        file.write_bytes(other)
    word = {"changed": "SHA-256 differs", "gone": "cannot be read", "other": "features of the training fields"}[spoil]
    with pytest.raises(PackageError, match=word):
        Scorer.open(open_package(written.folder), "cpu")
