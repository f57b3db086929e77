"""``smartabsen --help`` beside the ``--help`` of a Typer program with one command that does nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

BARE = """
import typer

app = typer.Typer()


@app.command()
def hello(name: str = "you") -> None:
    "Say hello."


@app.command()
def goodbye(name: str = "you") -> None:
    "Say goodbye."


app()
"""


@dataclass(frozen=True)
class Startup:
    """Median seconds of both programs, run in turns."""

    smartabsen_s: float
    bare_s: float

    @property
    def ratio(self) -> float:
        """How many times as long ours takes."""
        return self.smartabsen_s / self.bare_s


def measure(rounds: int = 15) -> Startup:
    """Run both in turns, so that both meet the same machine."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "bare.py")
        bare.write_text(BARE, encoding="utf-8")
        ours = [sys.executable, "-m", "smartabsen", "--help"]
        theirs = [sys.executable, str(bare), "--help"]
        for command in (ours, theirs):  # warm the disk cache
            _seconds(command)
        times = [(_seconds(ours), _seconds(theirs)) for _ in range(rounds)]
    return Startup(smartabsen_s=median(ours for ours, _ in times), bare_s=median(bare for _, bare in times))


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the figures as Markdown."""
    result = measure()
    print("| program | median ms |\n|---|---|")
    print(f"| `smartabsen --help` | {result.smartabsen_s * 1000:.0f} |")
    print(f"| a bare Typer program `--help` | {result.bare_s * 1000:.0f} |")
    print(f"\nRatio {result.ratio:.2f} (goal: at most 1.5).")


if __name__ == "__main__":
    main()
