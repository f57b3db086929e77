"""All benchmarks in turn, each in a process of its own; one report in Markdown, which also goes to ``bench/out``.

python -m bench --quick
python -m bench --only startup,kills
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from bench import OUT, SHARED

REPORT: Final = OUT / "report.md"
PACKAGES: Final = (
    "smartabsen",
    "numpy",
    "opencv-python",
    "dlib-bin",
    "onnxruntime",
    "openvino",
    "scikit-learn",
    "SQLAlchemy",
    "Flask",
    "gunicorn",
    "typer",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One benchmark.

    Attributes:
        name: Module in ``bench``.
        title: Heading in the report.
        quick: Arguments for a short run.
        needs_shared: Whether it needs the weights and photos of ``../shared``.
        needs_posix: Whether it needs signals that only POSIX systems have.
        optional: Whether it runs only when it is named.
    """

    name: str
    title: str
    quick: tuple[str, ...] = ()
    needs_shared: bool = False
    needs_posix: bool = False
    optional: bool = False


PARTS: Final = (
    Part("startup", "Start of the command line"),
    Part("accuracy", "Accuracy and thresholds", quick=("--engine", "openvino"), needs_shared=True),
    Part("pipeline", "From a frame to a decision", quick=("--frames", "10", "--rounds", "1"), needs_shared=True),
    Part("evaluation", "What evaluate tells", quick=("--engine", "openvino"), needs_shared=True),
    Part("matching", "Comparing with large galleries", quick=("--sizes", "1000,10000"), needs_shared=True),
    Part("rivals", "Against other pipelines", quick=("--frames", "8"), needs_shared=True),
    Part("reference", "Calibration against held-out strangers", quick=("--engine", "openvino"), needs_shared=True),
    Part("gallery_size", "Strangers by formula and simulation", quick=("--engine", "openvino"), needs_shared=True),
    Part("imports", "Photos per second of import", needs_shared=True),
    Part("kills", "kill -9 while the kiosk punches", quick=("--kills", "50"), needs_posix=True),
    Part(
        "web",
        "The web server: one-time tokens, previews, load, cost of pages",
        quick=("--tokens", "30", "--previews", "50", "--seconds", "5", "--rounds", "40"),
        needs_posix=True,
    ),
    Part(
        "crowd",
        "Honest visitors beside one who asks for codes without end",
        quick=("--visitors", "4", "--confirm-after", "3"),
        needs_posix=True,
    ),
    Part(
        "presses",
        "The attendance page: press to answer, several faces at once",
        quick=("--engine", "sface", "--rounds", "1", "--bursts", "6", "--presses", "2"),
        needs_shared=True,
        needs_posix=True,
    ),
    Part(
        "slow_clients",
        "Honest requests beside slow clients",
        quick=("--workers", "2", "--slow", "30", "--requests", "5"),
        needs_posix=True,
    ),
    Part("logins", "Pages beside logins", quick=("--seconds", "5"), needs_posix=True),
    Part("endurance", "Memory of a server for hours", quick=("--minutes", "2"), needs_posix=True, optional=True),
    Part("seals", "What sealing costs; keys changed under kill -9", quick=("--kills", "5")),
    Part(
        "kiosk",
        "Memory and processor time of a kiosk",
        quick=("--engine", "sface", "--seconds", "10"),
        needs_shared=True,
        needs_posix=True,
        optional=True,
    ),
    Part("crops", "Templates of kept faces", quick=("--photos", "20"), needs_shared=True, optional=True),
    Part(
        "liveness",
        "Liveness",
        quick=("--photos", "1", "--press", "50", "--detector", "scrfd"),
        needs_shared=True,
        optional=True,
    ),
    Part(
        "occlusion", "Covered faces", quick=("--engine", "openvino", "--pairs", "20"), needs_shared=True, optional=True
    ),
    Part("quality", "Limits of quality", quick=("--pairs", "20"), needs_shared=True, optional=True),
)


@dataclass(frozen=True, slots=True)
class Section:
    """What one part said.

    Attributes:
        text: Markdown, with its heading.
        passed: False where the part failed, or was skipped because ``../shared`` is missing.
    """

    text: str
    passed: bool


def run(part: Part, *, quick: bool, shared: Path = SHARED) -> Section:
    """Run a part, or say why it is skipped."""
    heading = f"## {part.title}\n\n"
    if part.needs_posix and os.name != "posix":
        return Section(f"{heading}Skipped: it needs a POSIX system.\n", passed=True)
    if part.needs_shared and not (shared / "models").is_dir():
        missing = "there are no weights and photos in ../shared (or BENCH_SHARED)"
        return Section(f"{heading}**Skipped: {missing}.**\n", passed=False)
    # A person's own settings stay out.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMARTABSEN_")}
    environment |= {"BENCH_SHARED": str(shared), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", f"bench.{part.name}", *(part.quick if quick else ())]
    load, start = describe_load(), time.monotonic()
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    seconds = time.monotonic() - start
    failure = f"\n**Failed with exit code {done.returncode}.**\n" if done.returncode else ""
    footer = f"\n_{seconds:.0f} s; load of the machine {load} before, {describe_load()} after._\n"
    return Section(f"{heading}{done.stdout.strip()}\n{failure}{footer}", passed=not done.returncode)


def describe_load() -> str:
    """Return the processes that were running or waiting during the last minute, on average."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def describe_machine() -> str:
    """Return a table of what the figures depend on."""
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in _machine()) + "\n"


def find_processor() -> str:
    """Return the model of the processor as the system names it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def parse_names(text: str) -> tuple[str, ...]:
    """Return the parts that a comma-separated list names.

    Raises:
        argparse.ArgumentTypeError: There is no such part.
    """
    names = tuple(name.strip() for name in text.split(","))
    known = [part.name for part in PARTS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}. Known: {', '.join(known)}")
    return names


def main() -> None:
    """Run what was named, or everything but what is optional."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer frames, engines and kills")
    parser.add_argument("--only", type=parse_names, metavar="PARTS", help=",".join(part.name for part in PARTS))
    options = parser.parse_args()
    chosen = [part for part in PARTS if (part.name in options.only if options.only else not part.optional)]
    quick = " (a quick run)" if options.quick else ""
    texts = [f"# Benchmarks of smartabsen{quick}\n\n{describe_machine()}"]
    print(texts[0], flush=True)
    passed = True
    OUT.mkdir(parents=True, exist_ok=True)
    for part in chosen:
        section = run(part, quick=options.quick)
        print(section.text, flush=True)
        texts.append(section.text)
        passed &= section.passed
        # What was measured stays when the rest is interrupted.
        REPORT.write_text("\n".join(texts), encoding="utf-8")
    raise SystemExit(not passed)


def _machine() -> Iterator[tuple[str, str]]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield "processor", find_processor()
    yield "cores in use", str(cores)
    yield "system", f"{platform.system()} {platform.machine()}"
    yield "Python", platform.python_version()
    yield "SQLite", sqlite3.sqlite_version
    for package in PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            yield package, "not installed"


if __name__ == "__main__":
    main()
