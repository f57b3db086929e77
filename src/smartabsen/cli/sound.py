"""How a kiosk's decision is heard: a beep or a spoken line, out of the kiosk's way.

A thread plays; what the machine has for it is found out once. Nothing here may stop or delay a kiosk: where a player is
missing or fails, the terminal's bell rings instead.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import math
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TextIO

from ..kernel.domain import Outcome
from ..kernel.i18n import N_, current_language

_WAITING: Final = 2
"""Lines that may wait to be spoken; older ones are dropped: a greeting after the person has left is no use."""
_TIMEOUT_S: Final = 15.0
_RATE: Final = 22_050
_GLAD: Final = frozenset({Outcome.RECOGNIZED, Outcome.ACCEPTED, Outcome.ALREADY_RECORDED, Outcome.PENDING})
_TONES: Final = {True: ((880.0, 0.09), (1320.0, 0.14)), False: ((330.0, 0.14), (247.0, 0.22))}
"""Frequency in Hz and duration in s: rising for a welcome, falling for a refusal."""
_WINDOWS_SPEECH: Final = (
    "[Console]::InputEncoding = [Text.Encoding]::UTF8; Add-Type -AssemblyName System.Speech; "
    "(New-Object System.Speech.Synthesis.SpeechSynthesizer).Speak([Console]::In.ReadToEnd())"
)

Run = Callable[[Sequence[str], bytes], int]
"""Runs a command with this input, and returns its exit status once it has ended."""


class Sound:
    """Plays decisions. Closing it cuts off what is being played; it happens by itself when the program ends.

    Args:
        mode: ``off``, ``beep`` or ``voice``.
        notice: Told once, with a message id, when there is no voice on this machine.
        bell: Where the terminal's bell is rung, if it is a terminal.
        run: Runs a player; for tests.
        find: Finds a program, as ``shutil.which``; for tests.
        platform: As ``sys.platform``; for tests.
    """

    def __init__(
        self,
        mode: str,
        *,
        notice: Callable[[str], None] | None = None,
        bell: TextIO | None = None,
        run: Run | None = None,
        find: Callable[[str], str | None] = shutil.which,
        platform: str = sys.platform,
    ) -> None:
        self._bell = sys.stderr if bell is None else bell
        self._player = _Player()
        self._run = run or self._player.run
        self._find = find
        self._platform = platform
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._lines: queue.Queue[tuple[bool, str] | None] = queue.Queue()
        self._voice = self._find_voice() if mode == "voice" else None
        self._beep = self._find_beep() if mode != "off" else None
        if mode == "voice" and self._voice is None and notice is not None:
            notice(N_("No speech program was found (espeak-ng or spd-say): the kiosk beeps instead."))
        self._thread: threading.Thread | None = None
        if mode != "off":
            self._thread = threading.Thread(target=self._play_lines, name="sound", daemon=True)
            self._thread.start()
            # Whoever forgets to close it leaves neither a file nor a voice behind.
            atexit.register(self.close)

    def play(self, outcome: Outcome, text: str) -> None:
        """Play a decision, at once and without waiting.

        Args:
            outcome: Whether it is a welcome or a refusal.
            text: What to say, in the current language.
        """
        if self._thread is None:
            return
        while self._lines.qsize() >= _WAITING:
            with contextlib.suppress(queue.Empty):
                self._lines.get_nowait()
        self._lines.put((outcome in _GLAD, text))

    def close(self) -> None:
        """Be silent."""
        if self._thread is None:
            return
        atexit.unregister(self.close)
        self._player.stop()
        self._lines.put(None)
        self._thread.join(timeout=2.0)
        self._thread = None
        if self._directory is not None:
            self._directory.cleanup()

    def _play_lines(self) -> None:
        while (line := self._lines.get()) is not None:
            glad, text = line
            if not (self._speak(text) or self._play_tones(glad)):
                self._ring(glad)

    def _speak(self, text: str) -> bool:
        return self._voice is not None and self._succeeds(self._voice, text.encode())

    def _play_tones(self, glad: bool) -> bool:
        if self._beep is None:
            return False
        try:
            path = self._tone_file(glad)
        except OSError:
            return False
        if self._beep == ["winsound"]:
            return _play_on_windows(path)
        return self._succeeds([*self._beep, str(path)], b"")

    def _ring(self, glad: bool) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._bell.isatty():
                self._bell.write("\a" if glad else "\a\a")
                self._bell.flush()

    def _succeeds(self, command: Sequence[str], text: bytes) -> bool:
        try:
            return self._run(command, text) == 0
        except (OSError, subprocess.SubprocessError):
            return False

    def _find_voice(self) -> list[str] | None:
        # The text goes through standard input: it is a person's name, and other users can read command lines.
        language = current_language()
        candidates = {
            "darwin": [["say", "-f", "-"]],
            "win32": [["powershell", "-NoProfile", "-NonInteractive", "-Command", _WINDOWS_SPEECH]],
        }.get(
            self._platform,
            [
                ["espeak-ng", "-v", language, "--stdin"],
                ["espeak", "-v", language, "--stdin"],
                ["spd-say", "--wait", "--language", language, "--pipe-mode"],
            ],
        )
        return next((command for command in candidates if self._find(command[0])), None)

    def _find_beep(self) -> list[str] | None:
        if self._platform == "win32":
            return ["winsound"]
        players = [["afplay"]] if self._platform == "darwin" else [["paplay"], ["pw-play"], ["aplay", "-q"]]
        return next((command for command in players if self._find(command[0])), None)

    def _tone_file(self, glad: bool) -> Path:
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="smartabsen-sound-", ignore_cleanup_errors=True)
        path = Path(self._directory.name) / ("welcome.wav" if glad else "refusal.wav")
        if not path.exists():
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(_RATE)
                file.writeframes(_tones(_TONES[glad]))
        return path


class _Player:
    """Runs one program at a time, and can cut it off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def run(self, command: Sequence[str], text: bytes) -> int:
        """Run a command to its end: nothing is left behind for anybody to reap."""
        with self._lock:
            if self._stopped:
                return 0
            process = self._process = subprocess.Popen(  # noqa: S603 - programs named above, text by standard input
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        with process:
            try:
                process.communicate(text, timeout=_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.returncode

    def stop(self) -> None:
        """Cut off what is running, and run nothing more."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()


def _tones(notes: Sequence[tuple[float, float]]) -> bytes:
    samples = array.array("h")
    for frequency, duration_s in notes:
        count = int(_RATE * duration_s)
        for index in range(count):
            # Faded in and out: an abrupt edge clicks.
            loudness = min(1.0, index / 200.0, (count - index) / 400.0)
            samples.append(int(12_000 * loudness * math.sin(2.0 * math.pi * frequency * index / _RATE)))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _play_on_windows(path: Path) -> bool:
    if sys.platform == "win32":
        import winsound

        with contextlib.suppress(RuntimeError):
            winsound.PlaySound(str(path), winsound.SND_FILENAME | winsound.SND_NODEFAULT)
            return True
    return False
