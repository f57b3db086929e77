"""Real parts: a server with the embedded engine, Chromium, a film as the camera, a phone that reads the screen."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from smartabsen import SmartAbsen
from smartabsen.upkeep.demo_film import make_demo_material

from ...conftest import missing
from ..server_process import running_server
from .film import write_film

sync_api = pytest.importorskip("playwright.sync_api")

ARTEFACTS = Path(os.environ.get("SMARTABSEN_TEST_ARTEFACTS", Path(__file__).parents[3] / "artefacts"))
"""Where screenshots go; git ignores it."""
NAMES = ("Contoh Satu", "Contoh Dua", "Contoh Tiga", "Contoh Empat", "Contoh Lima", "Contoh Enam")
LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str:
    """The browser of this machine; without one the tests are skipped, or fail in CI."""
    found = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if found is None:
        missing("no Chromium: apt-get install chromium")
    return str(found)


@dataclass(frozen=True)
class People:
    """An installation with six enrolled people.

    Attributes:
        home: Its directory.
        films: Name to a film of that person; ``stranger`` is not enrolled.
    """

    home: Path
    films: dict[str, Path]


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    """Enrol the six people of the demonstration, and film two of them and somebody else."""
    directory = tmp_path_factory.mktemp("browser")
    home = directory / "home"
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib", "language": "en"}) as app:
        detector = app.services.engine.detector
        made = make_demo_material(directory, lambda image: [face.box_xyxy for face in detector.detect(image)], NAMES)
        for number, (name, photos) in enumerate(made.photos.items(), start=1):
            app.enrol(name, photos, code=f"E00{number}", consent=True)
        app.train()
    films = {}
    for name in NAMES[:2]:
        portrait = cv2.imread(str(made.photos[name][0]))
        films[name] = write_film(directory / f"{name}.mjpeg", portrait)
    films["stranger"] = write_film(directory / "stranger.mjpeg", _stranger())
    return People(home, films)


def _stranger() -> np.ndarray:
    """Return the stranger of the demonstration, with room around the face."""
    spec = find_spec("insightface")
    assert spec is not None and spec.origin is not None
    photo = cv2.imread(str(Path(spec.origin).parent / "data" / "images" / "Tom_Hanks_54745.png"))
    around = cv2.copyMakeBorder(photo, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(178, 174, 170))
    return cv2.resize(around, None, fx=2.0, fy=2.0, interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def home(people: People, tmp_path: Path) -> Path:
    """A fresh copy of that installation: no test sees the punches of another."""
    return Path(shutil.copytree(people.home, tmp_path / "home"))


@pytest.fixture
def settings() -> dict[str, str]:
    """Settings of the server; tests add theirs before they ask for it."""
    return {"SMARTABSEN_ENGINE": "dlib", "SMARTABSEN_SITE_KIOSK": "Front desk", "SMARTABSEN_SITE_NAME": "Toko Contoh"}


@pytest.fixture
def server(home: Path, settings: dict[str, str]) -> Iterator[str]:
    """``smartabsen serve``, and its address."""
    with running_server(home, settings=settings) as process:
        yield process.address
        said = process.stop()
    assert process.process.returncode == 0, said
    assert "token=" not in said


def take_screenshot(page: sync_api.Page, **options: Any) -> bytes:
    """Take a screenshot. Chromium without a graphics card is now and then unable to, and able a moment later."""
    for _ in range(4):
        try:
            return page.screenshot(**options)
        except sync_api.Error as exc:
            if "Unable to capture screenshot" not in str(exc):
                raise
            page.wait_for_timeout(500)
    return page.screenshot(**options)


def read_qr_of(page: sync_api.Page) -> str:
    """Return what the QR code on a screen says, as a phone's camera would read it; empty where none is read.

    OpenCV's older detector misses two of a hundred.
    """
    picture = cv2.imdecode(np.frombuffer(take_screenshot(page), np.uint8), cv2.IMREAD_COLOR)
    readers = (cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector())
    return next((text for reader in readers if (text := reader.detectAndDecode(picture)[0])), "")


@dataclass
class Office:
    """A laptop with a camera, a phone, and what both asked for.

    Attributes:
        address: Of the server.
        laptop, phone: A page in a browser context of each.
        hosts: All hosts that any page asked for anything.
        errors: What scripts complained about.
    """

    address: str
    laptop: sync_api.Page
    phone: sync_api.Page
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def open_signin(self) -> str:
        """Open the sign-in page; the number it shows."""
        self.laptop.goto(f"{self.address}/auth")
        return self.laptop.locator("#number").inner_text()

    def scan(self) -> None:
        """Read the QR off the laptop's screen with the phone, and open what it says."""
        self.phone.goto(self.read_qr())

    def read_qr(self) -> str:
        """Decode the QR from a screenshot of the laptop."""
        text = read_qr_of(self.laptop)
        assert text.startswith(f"{self.address}/verify_qr?token="), text
        return text

    def confirm(self, number: str) -> None:
        """Type the number on the phone and confirm."""
        self.phone.locator("#number").fill(number)
        self.phone.get_by_role("button", name="Confirm", exact=True).click()

    def sign_in(self) -> None:
        """The way to the camera."""
        number = self.open_signin()
        self.scan()
        self.confirm(number)
        self.laptop.wait_for_url("**/web_attendance", timeout=20_000)

    def take_pictures(self) -> None:
        """Press the button before the camera."""
        button = self.laptop.locator("#take")
        sync_api.expect(button).to_be_enabled(timeout=20_000)
        button.click()

    def shoot(self, page: sync_api.Page, name: str) -> None:
        """Write a screenshot at 1280 and at 390 pixels; faces in it are blurred."""
        ARTEFACTS.mkdir(exist_ok=True)
        before = page.viewport_size
        page.evaluate("document.querySelectorAll('video').forEach((one) => { one.style.filter = 'blur(14px)'; })")
        for size in (LAPTOP, PHONE):
            page.set_viewport_size(size)
            take_screenshot(page, path=ARTEFACTS / f"{name}-{size['width']}.png", full_page=True)
        page.set_viewport_size(before)


@pytest.fixture(scope="session")
def playwright() -> Iterator[sync_api.Playwright]:
    """Playwright's driver."""
    with sync_api.sync_playwright() as started:
        yield started


@pytest.fixture
def office(people: People, server: str, playwright: sync_api.Playwright) -> Iterator[Callable[..., Office]]:
    """Make an office: ``office("Contoh Satu")`` has that person before the laptop's camera."""
    made: list[Office] = []
    with ExitStack() as stack:

        def make(person: str = NAMES[0], *, camera: bool = True, dark: bool = False, locale: str = "en") -> Office:
            arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
            if camera:
                film = people.films[person]
                arguments += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
            stack.callback(browser.close)
            scheme = "dark" if dark else "light"
            laptop = browser.new_context(
                viewport=LAPTOP,
                locale=locale,
                color_scheme=scheme,
                bypass_csp=False,
                permissions=["camera"] if camera else [],
            )
            phone = browser.new_context(
                viewport=PHONE,
                locale=locale,
                color_scheme=scheme,
                is_mobile=True,
                has_touch=True,
                device_scale_factor=2,
            )
            one = Office(server, laptop.new_page(), phone.new_page())
            for context in (laptop, phone):
                context.on("request", lambda request: one.hosts.add(urlsplit(request.url).netloc))
                context.on("weberror", lambda error: one.errors.append(str(error.error)))
                context.on("console", lambda message: _note(one, message))
            made.append(one)
            return one

        yield make
    for one in made:
        # Data and blob addresses have no host.
        assert one.hosts - {""} == {urlsplit(server).netloc}, "a page asked another host"
        assert one.errors == []


def _note(office: Office, message: sync_api.ConsoleMessage) -> None:
    if message.type == "error" and not re.search(r"status of (4\d\d|5\d\d)", message.text):
        office.errors.append(message.text)
