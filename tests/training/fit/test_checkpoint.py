import errno
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import training.fit.checkpoint
from her2viewer.errors import ExportError, UserError
from training.fit.checkpoint import SafetensorsIO, load_tree, load_weights, save_tree

TREE = {
    "epoch": 3,
    "state": {0: {"step": torch.tensor(5.0), "moment": torch.arange(6.0).reshape(2, 3)}, "names": ["a", None, True]},
    "shared": [torch.ones(2), (1.5, "x")],
}


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    save_tree(tmp_path / "c.safetensors", TREE)
    back = load_tree(tmp_path / "c.safetensors")
    assert back["epoch"] == 3 and back["state"]["names"] == ["a", None, True]
    assert torch.equal(back["state"][0]["moment"], TREE["state"][0]["moment"])  # type: ignore[index]
    assert back["state"][0]["step"].item() == 5.0 and back["shared"][1] == [1.5, "x"]


def test_tensors_of_one_memory_and_of_any_order_are_written(tmp_path: Path) -> None:
    one = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    SafetensorsIO().save_checkpoint({"a": one, "b": one, "c": one[0]}, tmp_path / "c.safetensors")
    back = SafetensorsIO().load_checkpoint(tmp_path / "c.safetensors")
    assert all(torch.equal(back[name], one) for name in "ab") and torch.equal(back["c"], one[0])


def test_what_would_have_to_be_pickled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"/settings is a set"):
        save_tree(tmp_path / "c.safetensors", {"settings": {1, 2}})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_the_last_whole_one_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.safetensors"
    save_tree(path, {"epoch": 1})

    def full(tensors: object, draft: Path, metadata: object) -> None:
        draft.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(training.fit.checkpoint, "save_file", full)
    with pytest.raises(ExportError, match=r"cannot be written \(No space left on device\); make room .* --resume"):
        save_tree(path, {"epoch": 2})
    assert load_tree(path) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_broken_foreign_and_unfit_files_are_said(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_tree(path, TREE)
    path.write_bytes(path.read_bytes()[:-20])
    save_file({"x": torch.ones(1)}, tmp_path / "other.safetensors")
    for file in (path, tmp_path / "other.safetensors", tmp_path / "none.safetensors"):
        with pytest.raises(UserError, match="not a whole checkpoint"):
            load_tree(file)
    save_tree(path, {"network": {"weight": torch.ones(3)}, "facts": {}})
    with pytest.raises(UserError, match="another network"):
        load_weights(path, torch.nn.Linear(2, 2))
