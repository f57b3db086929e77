"""SIGKILL at each of the first writes of a punch, a training and a backup: is the old or the new state there?

    python -m bench.write_kills --writes 40

strace kills the process as it enters its Nth pwrite64, the call by which SQLite writes pages and journals; with
``--call fsync`` as it is about to sync anything, the files of model, log and backup included.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from smartabsen import SmartAbsen
from smartabsen.gallery import model_rows
from smartabsen.gallery.model_file import load_model
from smartabsen.gallery.model_in_force import follow
from smartabsen.recognition.detectors.fake import draw_face

from .installation import flags_of, log_differs_after_one_start, prepare, stored_keys

TASKS = ("punch", "train", "backup")
SCRIPT = """
import json, sys
from smartabsen import SmartAbsen
with SmartAbsen.open(flags=json.loads(sys.argv[1])) as app:
    if sys.argv[2] == "punch":
        app.punch("E1", key=sys.argv[3])
    elif sys.argv[2] == "train":
        app.train()
    else:
        app.backups.create()
"""


@dataclass
class WriteKills:
    """What became of a task: how often it was killed, ended by itself, and left the old, the new or no good state."""

    task: str
    killed: int = 0
    ended: int = 0
    old: int = 0
    new: int = 0
    broken: int = 0


def can_trace() -> bool:
    """Return whether strace is here and may trace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def measure(task: str, numbers: range, *, call: str = "pwrite64") -> WriteKills:
    """Kill a task at each of these calls, each time from the same prepared state of an installation."""
    found = WriteKills(task)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder, "prepared")
        _prepare(flags_of(prepared), Path(folder))
        for number in numbers:
            home = Path(folder, "home")
            # Nobody has it open: a copy of the files is the database.
            shutil.copytree(prepared, home)
            _run(flags_of(home), task, f"{call}:signal=KILL:when={number}", found)
            _judge(flags_of(home), task, number, found)
            shutil.rmtree(home)
    return found


def _prepare(flags: Mapping[str, object], folder: Path) -> None:
    prepare(flags)
    with SmartAbsen.open(flags=flags) as app:
        for person in (1, 2):
            app.enrol(f"Contoh {person}", photos(folder, person, 2), code=f"E{person}", consent=True)
        app.train()
        app.punch("E1", key="before")
        # A further photo: the training that follows has another outcome.
        app.enrol("Contoh 2", photos(folder, 2, 4), code="E2", consent=True)


def photos(folder: Path, person: int, count: int) -> list[Path]:
    """Draw pictures of a person who does not exist, each with other bytes."""
    paths = []
    for number in range(count):
        image = np.full((240, 320, 3), 80 + 3 * number, dtype=np.uint8)
        draw_face(image, person, centre_xy=(160, 120), size_px=130 + 10 * number)
        paths.append(folder / f"{person}-{number}.png")
        cv2.imwrite(str(paths[-1]), image)
    return paths


def _run(flags: Mapping[str, object], task: str, fault: str, found: WriteKills) -> None:
    command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={fault.partition(':')[0]}", "-e", f"inject={fault}"]
    command += [sys.executable, "-c", SCRIPT, json.dumps(flags), task, "killed"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    if done.returncode == 0:
        found.ended += 1
    else:
        found.killed += 1


def _judge(flags: Mapping[str, object], task: str, number: int, found: WriteKills) -> None:
    try:
        new = _is_new(flags, task)
    except Exception as exc:  # noqa: BLE001 - whatever a half-written state makes of it is what is looked for
        print(f"{task}, write {number}: {type(exc).__name__}: {exc}", file=sys.stderr)
        found.broken += 1
        return
    found.new += new
    found.old += not new


def _is_new(flags: Mapping[str, object], task: str) -> bool:
    if log_differs_after_one_start(flags):
        raise AssertionError("the log differs after one start")
    with SmartAbsen.open(flags=flags) as app:
        keys = stored_keys(app)
        if not app.services.database.path or app.audit.verify().problems:
            raise AssertionError("the audit trail is broken")
        if task == "punch":
            assert sorted(keys) in (["before"], ["before", "killed"]), keys
            return "killed" in keys
        if task == "train":
            # Two templates of each before, four of the second person after it.
            follow(app.services)
            trained = load_model(app.settings.assets_dir, app.services.key_chain.ring())
            with app.services.database.read() as session:
                assert trained.version == model_rows.find_version(session), "file and database differ after one start"
            templates = len(trained.embeddings)
            assert templates in (4, 6), templates
            return templates == 6
        backups = app.backups.list()
        for one in backups:
            app.backups.verify(one.path)
        return bool(backups)


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writes", type=int, default=40)
    parser.add_argument("--call", default="pwrite64", choices=("pwrite64", "write", "fsync", "rename"))
    parser.add_argument("--task", action="append", choices=TASKS)
    given = parser.parse_args()
    if not can_trace():
        raise SystemExit("strace is not here, or may not trace")
    print("| task | killed | ended by itself | old state | new state | neither |\n|---|---|---|---|---|---|")
    broken = 0
    for task in given.task or TASKS:
        one = measure(task, range(1, given.writes + 1), call=given.call)
        broken += one.broken
        print(f"| {one.task} | {one.killed} | {one.ended} | {one.old} | {one.new} | {one.broken} |", flush=True)
    raise SystemExit(broken > 0)


if __name__ == "__main__":
    main()
