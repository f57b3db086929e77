"""How a decision is heard, with players that are not there."""

from __future__ import annotations

import io
import sys
import threading
import time
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from smartabsen.cli.sound import Sound
from smartabsen.kernel.domain import Outcome
from smartabsen.kernel.i18n import use_language


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


class Machine:
    """A machine with these programs, and what was run on it."""

    def __init__(self, *programs: str, status: int = 0, platform: str = "linux") -> None:
        self.ran: list[tuple[list[str], bytes]] = []
        self.sounds: list[tuple[int, float]] = []
        self.notices: list[str] = []
        self.bell = Terminal()
        self.status = status
        self.busy = threading.Event()
        self.busy.set()
        self._programs = programs
        self._platform = platform

    def sound(self, mode: str) -> Sound:
        return Sound(
            mode,
            notice=self.notices.append,
            bell=self.bell,
            run=self._run,
            find=lambda name: f"/usr/bin/{name}" if name in self._programs else None,
            platform=self._platform,
        )

    def _run(self, command: Sequence[str], text: bytes) -> int:
        self.busy.wait(5.0)
        self.ran.append((list(command), text))
        if command[-1].endswith(".wav"):
            with wave.open(command[-1]) as file:
                self.sounds.append((file.getnchannels(), file.getnframes() / file.getframerate()))
        return self.status


def until(condition: Callable[[], object]) -> None:
    """Wait for what happens in the sound's thread."""
    deadline = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_off_is_silent() -> None:
    """Nothing is run and nothing rings."""
    machine = Machine("espeak-ng", "aplay")
    sound = machine.sound("off")
    sound.play(Outcome.RECOGNIZED, "Selamat pagi")
    sound.close()
    assert machine.ran == []
    assert machine.bell.getvalue() == ""


def test_a_beep_is_played_by_the_machines_player() -> None:
    """A short WAV, another one for a refusal; both are gone when the sound is closed."""
    machine = Machine("aplay")
    sound = machine.sound("beep")
    sound.play(Outcome.RECOGNIZED, "Selamat pagi")
    until(lambda: len(machine.ran) == 1)
    sound.play(Outcome.UNKNOWN, "Tidak dikenal")
    until(lambda: len(machine.ran) == 2)
    sound.close()
    files = [Path(command[-1]) for command, _ in machine.ran]
    assert files[0] != files[1]
    assert not any(file.exists() for file in files)
    assert all(channels == 1 and 0.1 < seconds < 0.6 for channels, seconds in machine.sounds)


def test_a_voice_says_the_line_in_the_persons_language_and_not_on_the_command_line() -> None:
    """Other users of a machine can read command lines; a name is nobody's business."""
    machine = Machine("espeak-ng", "aplay")
    with use_language("id"):
        sound = machine.sound("voice")
    sound.play(Outcome.RECOGNIZED, "Selamat pagi, Siti")
    until(lambda: machine.ran)
    sound.close()
    assert machine.ran == [(["espeak-ng", "-v", "id", "--stdin"], b"Selamat pagi, Siti")]
    assert machine.notices == []


def test_without_a_voice_it_says_so_once_and_beeps() -> None:
    """However often somebody comes by."""
    machine = Machine("aplay")
    sound = machine.sound("voice")
    for count in (1, 2):
        sound.play(Outcome.RECOGNIZED, "Selamat pagi")
        until(lambda count=count: len(machine.ran) == count)
    sound.close()
    assert len(machine.notices) == 1
    assert machine.ran[0][0][0] == "aplay"


@pytest.mark.parametrize("programs", [(), ("espeak-ng", "aplay")], ids=["nothing there", "all of it fails"])
def test_where_no_player_works_the_terminals_bell_rings(programs: tuple[str, ...]) -> None:
    """Once for a welcome, twice for a refusal."""
    machine = Machine(*programs, status=1)
    sound = machine.sound("voice")
    sound.play(Outcome.RECOGNIZED, "Selamat pagi")
    until(lambda: machine.bell.getvalue() == "\a")
    sound.play(Outcome.UNKNOWN, "Tidak dikenal")
    until(lambda: machine.bell.getvalue() == "\a\a\a")
    sound.close()


def test_a_kiosk_is_never_kept_waiting() -> None:
    """A slow voice drops what is out of date instead of lagging behind."""
    machine = Machine("espeak-ng")
    sound = machine.sound("voice")
    machine.busy.clear()  # whoever waited for the voice here would wait for ever
    for number in range(50):
        sound.play(Outcome.RECOGNIZED, str(number))
    machine.busy.set()
    until(lambda: machine.ran and machine.ran[-1][1] == b"49")
    sound.close()
    assert len(machine.ran) <= 4


@pytest.mark.skipif(sys.platform != "linux", reason="zombies are looked for in /proc")
def test_a_real_player_leaves_no_zombie_and_is_cut_off_at_the_end(tmp_path: Path) -> None:
    """A program that would speak for a minute ends with the sound."""
    speaker = tmp_path / "espeak-ng"
    speaker.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    speaker.chmod(0o755)
    sound = Sound("voice", find=lambda name: name if name == "espeak-ng" else None, bell=Terminal())
    assert sound._voice is not None
    sound._voice[0] = str(speaker)
    sound.play(Outcome.RECOGNIZED, "Selamat pagi")
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    started = time.monotonic()
    sound.close()
    assert time.monotonic() - started < 30  # it would speak for a minute
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()
