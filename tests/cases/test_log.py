import contextlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2viewer.cases.log import HEAD_SUFFIX, ActionLog, verify_excerpt, verify_log
from her2viewer.errors import LibraryError


@pytest.fixture
def log(tmp_path: Path) -> ActionLog:
    made = ActionLog(tmp_path / "log.jsonl")
    for number in range(6):
        made.append("reading", {"score": f"{number % 3}+", "reader": "Ä. Ünal"})
    return made


def lines(log: ActionLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def changes(log: ActionLog, new: list[bytes]) -> str:
    log.path.write_bytes(b"".join(new))
    found = verify_log(log.path)
    assert not found.intact
    return " ".join(found.changes)


def test_an_untouched_log_is_intact(log: ActionLog) -> None:
    found = verify_log(log.path)
    assert found.intact and found.entries == 6 and found.head == json.loads(lines(log)[-1])["hash"]
    assert [entry.number for entry in log.entries()] == [1, 2, 3, 4, 5, 6]


def test_what_was_altered_is_named(log: ActionLog) -> None:
    kept = lines(log)
    altered = kept[2].replace(b'"2+"', b'"0"')
    assert altered != kept[2]
    assert changes(log, [*kept[:2], altered, *kept[3:]]).startswith("Entry 3 (")
    assert "Line 4 was altered" in changes(log, [*kept[:3], b"nonsense\n", *kept[4:]])


def test_what_is_missing_or_out_of_order_is_named(log: ActionLog) -> None:
    kept = lines(log)
    assert changes(log, [kept[0], *kept[2:]]) == "Entry 2 is missing before entry 3."
    assert changes(log, [kept[0], *kept[4:]]) == "Entries 2 to 4 are missing before entry 5."
    assert changes(log, kept[1:]).startswith("Entry 1 is missing")
    assert "out of its order" in changes(log, [kept[0], kept[2], kept[1], *kept[3:]])
    assert "a second time" in changes(log, [*kept[:3], kept[2], *kept[3:]])
    assert changes(log, kept[:4]) == "The log was cut off: it held 6 entries, and 4 are left."


def test_a_chain_that_was_made_anew_is_known_by_a_hash_noted_elsewhere(log: ActionLog, tmp_path: Path) -> None:
    noted = verify_log(log.path).head
    log.append("export", {"what": "overlay"})
    assert verify_log(log.path, head=noted).intact  # of an earlier entry
    forged = ActionLog(tmp_path / "forged.jsonl")
    for entry in log.entries():
        forged.append(entry.kind, {"score": "0"})
    assert verify_log(forged.path).intact
    assert "noted elsewhere" in verify_log(forged.path, head=noted).changes[0]


def test_an_emptied_log_is_cut_off(log: ActionLog) -> None:
    assert changes(log, []) == "The log was cut off: it held 6 entries, and 0 are left."


def test_an_entry_replaced_with_a_right_hash_breaks_the_chain(log: ActionLog, tmp_path: Path) -> None:
    other = ActionLog(tmp_path / "other.jsonl")
    for _ in range(6):
        other.append("reading", {"score": "0"})
    kept = lines(log)
    found = changes(log, [*kept[:2], lines(other)[2], *kept[3:]])
    assert "Entry 3 does not follow" in found and "Entry 4 does not follow" in found


@pytest.mark.parametrize("left", [1, 20, -1])
def test_a_line_that_a_killed_process_left_is_no_tampering_and_is_cut_off(log: ActionLog, left: int) -> None:
    whole = log.path.read_bytes()
    last = lines(log)[-1]
    log.path.write_bytes(whole + last[:left])
    found = verify_log(log.path)
    assert found.intact and found.entries == 6 and "unfinished" in found.remarks[0]
    log.append("export", {})
    assert log.path.read_bytes().startswith(whole) and verify_log(log.path).intact
    assert verify_log(log.path).entries == 7


def test_a_head_that_lags_behind_is_no_tampering(log: ActionLog) -> None:
    head = log.path.with_name(log.path.name + HEAD_SUFFIX)
    before = head.read_bytes()
    log.append("export", {})
    head.write_bytes(before)  # killed between the two
    assert verify_log(log.path).intact
    head.unlink()
    assert verify_log(log.path).intact


def test_what_is_no_log_is_said(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\nand more\n")
    with pytest.raises(LibraryError, match=r"^notes\.txt: this is no log of HER2 Viewer"):
        verify_log(path)
    with pytest.raises(LibraryError, match="cannot be read"):
        verify_log(tmp_path / "missing")
    log = ActionLog(path)
    with pytest.raises(LibraryError, match="the last entry of the log is damaged"):
        log.append("reading", {})
    assert path.read_text().startswith("my notes")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_byte_can_be_changed_unnoticed(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    log = ActionLog(tmp_path_factory.mktemp("log") / "log.jsonl")
    for number in range(3):
        log.append("reading", {"n": number, "text": "é"})
    whole = bytearray(log.path.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    whole[place] = byte
    log.path.write_bytes(whole)
    with contextlib.suppress(LibraryError):  # the first line is no entry any more
        assert not verify_log(log.path).intact


def test_a_head_of_another_log_is_noticed(log: ActionLog, tmp_path: Path) -> None:
    other = ActionLog(tmp_path / "other.jsonl")
    for _ in range(4):
        other.append("reading", {})
    log.head_path.write_bytes(other.head_path.read_bytes())
    assert verify_log(log.path).changes == ("Entry 4 is not the one that the head file beside the log names.",)


def test_without_a_head_a_cut_end_is_not_claimed_to_be_known(log: ActionLog) -> None:
    kept = lines(log)
    log.head_path.unlink()
    log.path.write_bytes(b"".join(kept[:3]))
    found = verify_log(log.path)
    assert found.intact and "cannot be told" in found.remarks[0]


def test_a_line_that_says_the_same_in_other_bytes_is_altered(log: ActionLog) -> None:
    kept = lines(log)
    assert "Line 2 was altered" in changes(log, [kept[0], kept[1].replace(b'"about":', b'"about": '), *kept[2:]])
    assert "Line 2 was altered" in changes(log, [kept[0], kept[1].replace(b'{"', b'{"kind":"x","', 1), *kept[2:]])


def test_a_line_longer_than_any_entry_is_told_once_and_the_rest_is_read(log: ActionLog) -> None:
    kept = lines(log)
    found = changes(log, [*kept[:3], b'{"' + b"x" * (9 * 2**20) + b"\n", *kept[3:]])
    assert found.startswith("Line 4 was altered: it is no entry any more.") and found.count("altered") == 1
    with pytest.raises(ValueError, match="too long"):
        log.append("reading", {"reason": "x" * (5 * 2**20)})


def test_several_entries_are_appended_at_once(log: ActionLog) -> None:
    made = log.append_all([("export", {"n": 1}), ("export", {"n": 2})])
    assert [entry.number for entry in made] == [7, 8] and made[0].id != made[1].id
    assert verify_log(log.path).head == made[1].hash
    assert log.append_all([]) == ()


def test_two_logs_on_one_file_go_on_from_each_other(log: ActionLog) -> None:
    other = ActionLog(log.path)
    for _ in range(3):
        other.append("reading", {})
        log.append("override", {})
    found = verify_log(log.path)
    assert found.intact and found.entries == 12


def test_an_excerpt_is_checked_entry_by_entry(log: ActionLog, tmp_path: Path) -> None:
    kept = lines(log)
    assert verify_excerpt([kept[1], kept[2], kept[5]], log.path).intact
    assert "out of its order" in verify_excerpt([kept[2], kept[1]], log.path).changes[0]
    altered = kept[2].replace(b'"2+"', b'"0"')
    assert verify_excerpt([kept[0], altered], log.path).changes[0].startswith("Entry 3 (")


def _run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_hundred_kills_while_appending_lose_nothing_that_was_told(tmp_path: Path) -> None:
    told = _run(
        """
        import os, random, signal, sys, time
        from pathlib import Path
        from her2viewer.cases.log import ActionLog, verify_log
        path, most, dice = Path(sys.argv[1]), 0, random.Random(6)
        for round in range(100):
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                log = ActionLog(path)
                while True:
                    entry = log.append("reading", {"reason": "x" * dice.randrange(20_000)})
                    os.write(writing, f"{entry.number} ".encode())
            os.close(writing)
            time.sleep(dice.uniform(0.001, 0.02))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            numbers = b""
            while more := os.read(reading, 65536):
                numbers += more
            os.close(reading)
            most = max([most, *map(int, numbers.split())])
            if path.exists():
                found = verify_log(path)
                assert found.intact, found
                assert found.entries >= most, (found.entries, most)
        print(most)
        """,
        str(tmp_path / "log.jsonl"),
    )
    assert int(told) > 50


def test_processes_that_append_together_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    script = (
        "import sys\nfrom pathlib import Path\nfrom her2viewer.cases.log import ActionLog\n"
        "log = ActionLog(Path(sys.argv[1]))\nfor n in range(40): log.append('reading', {'n': n, 'by': sys.argv[2]})"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), str(name)]) for name in range(3)]
    assert [writer.wait(90) for writer in writers] == [0, 0, 0]
    found = verify_log(path)
    assert found.intact and found.entries == 120
    for name in range(3):
        assert [entry.about["n"] for entry in ActionLog(path).entries() if entry.about["by"] == str(name)] == list(range(40))
