"""Whatever a file is or holds: every command that reads one says what is wrong, ends, and never calls it a bug."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner, Result

from smartabsen import SmartAbsen, StorageError
from smartabsen.cli.app import app
from smartabsen.config import load_settings
from smartabsen.gallery.embedding_cache import EmbeddingCache
from smartabsen.kernel.domain import ModelIdentity
from smartabsen.kiosk.frames import RememberedFrames
from smartabsen.org.security_settings import note_settings
from smartabsen.trust.sealing import KeyRing
from tests.installation import picture

HANGS_S = 60
"""A command that is not done by then waits for something that never comes."""
DEEP = b"[" * 100_000


def _huge_png() -> bytes:
    body = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(body)) + b"IHDR" + body + struct.pack(">I", zlib.crc32(b"IHDR" + body))
    return b"\x89PNG\r\n\x1a\n" + chunk + bytes(100)


def _photo() -> bytes:
    return cv2.imencode(".jpg", picture(1))[1].tobytes()


def _zip_of_zeros() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.onnx", bytes(5_000_000))
    return file.getvalue()


CONTENTS: dict[str, bytes] = {
    "empty": b"",
    "text": b"this is only a text\n",
    "zeros": bytes(5000),
    "huge header": _huge_png(),
    "half a photo": _photo()[:3000],
    "deep json": DEEP,
    "deep toml": b"a = " + DEEP,
    "zip": _zip_of_zeros(),
    "half a zip": _zip_of_zeros()[:1000],
    "no text": bytes(range(256)) * 20,
}
PLACES: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "directory": Path.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "dead link": lambda path: path.symlink_to(path.with_name("nowhere")),
    "loop": lambda path: path.symlink_to(path),
    "socket": lambda path: _bind(path),
}
COMMANDS: dict[str, list[str]] = {
    "enroll": ["enroll", "Contoh", "{file}", "--code", "E9", "--consent"],
    "recognize": ["recognize", "{file}"],
    "import": ["import", "{file}", "--consent"],
    "import photos": ["import", "{people}", "--photos", "{file}", "--consent"],
    "evaluate": ["evaluate", "{file}"],
    "evaluate pairs": ["evaluate", "{folder}", "--pairs", "{file}"],
    "models install": ["models", "install", "{file}"],
    "backup verify": ["backup", "verify", "{file}"],
    "backup restore": ["backup", "restore", "{file}", "--yes"],
    "backup identity": ["backup", "verify", "{sealed}", "--identity", "{file}"],
    "kiosk film": ["run-kiosk", "--camera", "{file}", "--headless"],
}
HOME_FILES = {
    "settings": "smartabsen.toml",
    "keys": "secrets/keys.json",
    "model": "assets/model_knn.json",
    "arrays": "assets/model_knn.npz",
    "consent": "consent.en.txt",
    "zone": "site-zone",
}


def _bind(path: Path) -> None:
    # Its name would be too long for a socket.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """End what hangs with an error."""

    def give_up(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one person and a trained model; each test works on a copy."""
    home = tmp_path_factory.mktemp("made") / "home"
    photos = []
    for number in range(3):
        photo = home.parent / f"{number}.png"
        cv2.imwrite(str(photo), picture(1, size_px=130 + 12 * number))
        photos.append(photo)
    with SmartAbsen.open(flags={"home": str(home), "engine": "fake"}) as opened:
        opened.enrol("Contoh", photos, code="E1", consent=True)
        opened.train()
    return home


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made_home, tmp_path / "home"))


def run(home: Path, *arguments: str) -> Result:
    """Run a command of the program; in words that do not depend on the terminal."""
    common = ["--home", str(home), "--engine", "fake", "--language", "en"]
    with within(HANGS_S):
        return CliRunner().invoke(app, [*arguments, *common], prog_name="smartabsen", catch_exceptions=False)


def check(done: Result) -> None:
    """Look at an answer to a file that cannot be used."""
    text = done.output + done.stderr
    assert "bug in smartabsen" not in text, text
    assert "Traceback" not in text, text
    assert done.exit_code in (0, 1, 2, 3, 4, 5, 6, 7), text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_is_wrong_with_a_file(
    command: str, home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each kind of content and each kind of place: an answer, an exit code that says failed, and no decoder's line."""
    folder = tmp_path / "people" / "Contoh"
    folder.mkdir(parents=True)
    for number in (1, 2):
        (folder / f"Contoh_000{number}.jpg").write_bytes(_photo())
    people = tmp_path / "people.csv"
    people.write_text("code,name\nE8,Contoh Delapan\n")
    sealed = tmp_path / "smartabsen-20260101T000000Z.tar.age"
    sealed.write_bytes(b"age-encryption.org/v1\n")
    kinds: dict[str, Callable[[Path], object]] = {
        **{kind: lambda path, data=data: path.write_bytes(data) for kind, data in CONTENTS.items()},  # type: ignore[misc]
        **PLACES,
    }
    names = {"import": "odd.csv", "models install": "odd.zip", "kiosk film": "odd.mp4", "enroll": "odd.jpg"}
    for kind, make in kinds.items():
        odd = tmp_path / kind.replace(" ", "-") / names.get(command, "odd.jpg")
        odd.parent.mkdir()
        make(odd)
        places = {"file": odd, "folder": tmp_path / "people", "people": people, "sealed": sealed}
        done = run(home, *(part.format(**places) for part in COMMANDS[command]))
        check(done)
        # A folder may be what is asked for, an import without photos is one, and half a photo is a film of one picture.
        if command not in ("import photos", "kiosk film") and kind != "directory":
            assert done.exit_code != 0, f"{kind}: {done.output}"
    out, err = capfd.readouterr()
    for noise in ("libpng", "Corrupt JPEG", "Premature", "WARN:", "ERROR:0@", "Traceback"):
        assert noise not in out + err, err


@pytest.mark.parametrize("place", HOME_FILES)
def test_an_odd_file_in_the_home_is_called_what_it_is(place: str, home: Path) -> None:
    """Settings, keys, trained model and texts of a home: a pipe or deep brackets in their place are no bug."""
    target = home / HOME_FILES[place]
    kinds: list[Callable[[Path], object]] = [
        *(lambda path, data=data: path.write_bytes(data) for data in CONTENTS.values()),  # type: ignore[misc]
        PLACES["pipe"], PLACES["directory"], PLACES["device"],
    ]  # fmt: skip
    for make in kinds:
        if target.is_dir():
            target.rmdir()
        target.unlink(missing_ok=True)
        make(target)
        for command in (["doctor"], ["train"], ["recognize", str(home / "none.jpg")], ["keys", "check"]):
            check(run(home, *command))


def test_deep_brackets_in_the_trained_model_are_a_damaged_model(home: Path) -> None:
    """They were “a bug in smartabsen”."""
    (home / "assets" / "model_knn.json").write_bytes(DEEP)
    done = run(home, "recognize", str(home))
    check(done)


PIPES = {
    "database": (["employee", "list"], "smartabsen.db"),
    "journal of the database": (["employee", "list"], "smartabsen.db-journal"),
    "journal of the queue": (["run-kiosk", "--camera", "{people}", "--headless"], "queue/punches.db-journal"),
    "security log": (["logs"], "logs/security.log"),
    "zone": (["employee", "list"], "site-zone"),
    "attendance log": (["backup", "create"], "Attendance/2026-01-05.csv"),
    "backup": (["backup", "verify", "{file}"], ""),
    "backup to restore": (["backup", "restore", "{file}", "--yes"], ""),
    "camera": (["run-kiosk", "--camera", "{file}", "--headless"], ""),
    "evaluate": (["evaluate", "{file}"], ""),
    "photos of a list": (["import", "{people}", "--photos", "{file}", "--consent"], ""),
    "report": (["report", "--format", "csv", "--output", "{file}"], ""),
    "audit export": (["audit", "export", "{file}"], ""),
}


@pytest.mark.parametrize("case", PIPES)
def test_a_named_pipe_is_called_that_and_stays(case: str, home: Path, tmp_path: Path) -> None:
    """Whether it stands in the home, is named, or would be replaced by what is written."""
    arguments, place = PIPES[case]
    pipe = home / place if place else tmp_path / "pipe"
    pipe.unlink(missing_ok=True)
    pipe.parent.mkdir(exist_ok=True)
    os.mkfifo(pipe)
    people = tmp_path / "people.csv"
    people.write_text("code,name\nE8,Contoh Delapan\n")
    done = run(home, *(part.format(file=pipe, people=people) for part in arguments))
    check(done)
    assert done.exit_code != 0 and "named pipe, not a file" in " ".join(done.stderr.split()), done.stderr
    assert pipe.is_fifo()


def test_a_device_in_the_attendance_log_is_not_read(home: Path) -> None:
    """A backup read it into memory without end."""
    log = home / "Attendance" / "2026-01-05.csv"
    log.parent.mkdir(exist_ok=True)
    log.symlink_to("/dev/zero")
    done = run(home, "backup", "create")
    assert done.exit_code == 1 and "device, not a file" in " ".join(done.stderr.split()), done.stderr
    assert not list((home / "backups").glob("*"))


def test_a_zone_that_is_none_is_not_another_one(home: Path) -> None:
    """It was Asia/Jakarta without a word: an hour or two too late for everybody elsewhere."""
    for content in (b"", b"\n", DEEP, bytes(range(256)), b"Asia/Nowhere\n"):
        (home / "site-zone").write_bytes(content)
        done = run(home, "employee", "list")
        assert done.exit_code == 3 and "names no time zone" in " ".join(done.stderr.split()), done.stderr
    (home / "site-zone").write_text("Asia/Makassar\n")
    assert run(home, "employee", "list").exit_code == 0


def test_what_is_remembered_between_starts_may_be_anything(tmp_path: Path) -> None:
    """Last frames of a camera, settings of the last start, faces of an evaluation: none hangs, or reads without end."""
    loaded = load_settings({"home": str(tmp_path)})
    faces = EmbeddingCache(
        tmp_path, KeyRing.of({"k": bytes(32)}, active="k", place=""), ModelIdentity("fake", "0" * 64, 512), "fake"
    )
    for make in (os.mkfifo, PLACES["device"], lambda path: path.write_bytes(DEEP)):
        for place in (RememberedFrames(tmp_path, "0")._path, tmp_path / "settings.json", faces._path):
            place.parent.mkdir(exist_ok=True)
            place.unlink(missing_ok=True)
            make(place)
        with within(HANGS_S):
            assert RememberedFrames(tmp_path, "0").watch.worth_keeping == ()
            assert note_settings(tmp_path, loaded) == {}
            if faces._path.is_file() and not faces._path.is_symlink():
                with faces.opened():
                    assert faces.find("") is None
            else:
                with pytest.raises(StorageError, match="not a file"), faces.opened():
                    pass


def test_a_directory_is_no_database_and_no_backup(home: Path) -> None:
    """And is called what it is."""
    done = run(home, "backup", "verify", str(home))
    assert done.exit_code != 0 and "directory, not a file" in " ".join(done.stderr.split())
    (home / "smartabsen.db").unlink()
    (home / "smartabsen.db").mkdir()
    done = run(home, "employee", "list")
    assert done.exit_code != 0 and "directory, not a file" in " ".join(done.stderr.split())


LONG_KEYS = {
    "dots": b"a." * 30_000 + b"b = 1",
    "dots of a table": b"[" + b"a." * 30_000 + b"b]",
    "dots within": b"a = {" + b"'a' . " * 10_000 + b"b = 1}",
    "length": b"#" * 1_000_000,
    "depth": b"a = " + DEEP[:60_000],
    "digits": b"a = " + b"1" * 60_000,
}


@pytest.mark.parametrize("case", LONG_KEYS)
def test_settings_that_a_parser_would_take_minutes_for_are_refused_before(
    case: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time grows with the square of a key's parts."""
    if case not in ("depth", "digits"):
        monkeypatch.setattr("tomllib.loads", lambda _text: pytest.fail("it was parsed"))
    (home / "smartabsen.toml").write_bytes(LONG_KEYS[case])
    done = run(home, "config", "show")
    check(done)
    assert done.exit_code == 3 and "no valid TOML" in " ".join(done.stderr.split())


UNREADABLE = {
    "keys check": (["keys", "check"], "secrets/keys.json"),
    "keys in a closed folder": (["keys", "check"], "secrets"),
    "recognize": (["recognize", "photo.jpg"], "assets/model_knn.npz"),
    "model facts": (["recognize", "photo.jpg"], "assets/model_knn.json"),
    "settings": (["doctor"], "smartabsen.toml"),
    "zone": (["employee", "list"], "site-zone"),
    "photo": (["enroll", "Contoh", "photo.jpg", "--code", "E7", "--consent"], "photo.jpg"),
    "folder of photos": (["enroll", "Contoh", "photos", "--code", "E7", "--consent"], "photos"),
    "people": (["import", "people.csv", "--consent"], "people.csv"),
    "pairs": (["evaluate", "photos", "--pairs", "pairs.txt"], "pairs.txt"),
    "model file": (["models", "install", "own.onnx"], "own.onnx"),
    "model folder": (["models", "install", "photos"], "photos"),
    "backup to verify": (["backup", "verify", "photos"], "photos"),
    "backup to restore": (["backup", "restore", "photo.jpg", "--yes"], "photo.jpg"),
    "backup in a closed folder": (["backup", "verify", "photos/a.jpg"], "photos"),
    "sealed backup": (["backup", "verify", "sealed.tar.age"], "sealed.tar.age"),
    "folder to evaluate": (["evaluate", "photos"], "photos"),
    "folder of photos for a list": (["import", "people.csv", "--photos", "photos", "--consent"], "photos"),
    "film": (["run-kiosk", "--camera", "photo.jpg", "--headless"], "photo.jpg"),
    "database": (["employee", "list"], "smartabsen.db"),
    "report into a closed folder": (["report", "--format", "csv", "--output", "photos/r.csv"], "photos"),
}


def run_without_rights(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user for whom the modes of files count: as root, without the right to pass over them."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        rights = "-dac_override,-dac_read_search"
        prefix = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]
    common = ["--home", str(home), "--engine", "fake", "--language", "en"]
    program = [*prefix, sys.executable, "-m", "smartabsen", *arguments, *common]
    return subprocess.run(program, cwd=home, capture_output=True, text=True, timeout=HANGS_S, check=False)


NEEDS_RIGHTS = pytest.mark.skipif(
    not hasattr(os, "geteuid") or (os.geteuid() == 0 and shutil.which("setpriv") is None),
    reason="for root, modes of files count only without capabilities, which setpriv takes away",
)


@NEEDS_RIGHTS
@pytest.mark.parametrize("case", UNREADABLE)
def test_what_this_user_may_not_read_is_called_that(case: str, home: Path) -> None:
    """For real: never a bug, never lost, never the advice to discard what is there."""
    arguments, closed = UNREADABLE[case]
    photos = home / "photos"
    photos.mkdir()
    for path in (home / "photo.jpg", photos / "a.jpg"):
        path.write_bytes(_photo())
    (home / "people.csv").write_text("code,name\nE8,Contoh Delapan\n")
    (home / "pairs.txt").write_text("1\t1\n")
    (home / "own.onnx").write_bytes(b"onnx")
    (home / "sealed.tar.age").write_bytes(b"age-encryption.org/v1\n")
    (home / "smartabsen.toml").write_text("engine = 'fake'\n")
    (home / closed).chmod(0)
    try:
        done = run_without_rights(home, *arguments)
    finally:
        (home / closed).chmod(0o700)
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "bug in smartabsen" not in said and "discard-lost" not in said and "Traceback" not in said, said
    assert "ermission" in said or "may read" in said, said


@NEEDS_RIGHTS
def test_keys_that_may_not_be_read_are_not_discarded(home: Path) -> None:
    """“keys init --discard-lost” would have deleted every face."""
    (home / "secrets" / "keys.json").chmod(0)
    done = run_without_rights(home, "keys", "init", "--discard-lost", "--yes")
    (home / "secrets" / "keys.json").chmod(0o600)
    assert done.returncode != 0, done.stdout
    assert "bug" not in done.stderr and "ermission" in done.stderr, done.stderr
    with SmartAbsen.open(flags={"home": str(home), "engine": "fake"}) as opened:
        assert len(opened.photos.of("E1")) == 3
