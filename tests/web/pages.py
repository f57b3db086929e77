"""Reading pages as a person and a phone would: what the code carries, the number, the hidden fields of a form."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import cv2
import numpy as np
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from smartabsen import SmartAbsen
from smartabsen.recognition.detectors.fake import draw_face


@dataclass(frozen=True, slots=True)
class Shown:
    """What the sign-in page shows."""

    number: str
    access_code: str
    text: str


def csrf_of(page: str) -> str:
    """The token of a form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page) or re.search(r'data-csrf="([^"]+)"', page)
    assert found, page
    return unescape(found[1])


def text_of(page: str, element_id: str) -> str:
    """The text of an element."""
    found = re.search(rf'id="{element_id}"[^>]*>([^<]*)<', page)
    assert found, page
    return unescape(found[1]).strip()


def open_signin(client: FlaskClient) -> Shown:
    """Open the sign-in page."""
    answer = client.get("/auth")
    assert answer.status_code == 200, answer.text
    return Shown(text_of(answer.text, "number"), text_of(answer.text, "access-code"), answer.text)


def post(client: FlaskClient, path: str, form_page: str, **fields: object) -> TestResponse:
    """Send a form of a page."""
    return client.post(path, data={"csrf_token": csrf_of(form_page), **fields})


def burst(person: int | None, *, size_px: int = 160, frames: int = 6, step_px: int = 3) -> list[bytes]:
    """Pictures of a drawn face that moves, as JPEG files; None draws nobody."""
    pictures = []
    for number in range(frames):
        image = np.full((480, 640, 3), 90, np.uint8)
        cv2.rectangle(image, (20 + step_px * number, 20), (90 + step_px * number, 460), (200, 220, 230), -1)
        if person is not None:
            draw_face(image, person, centre_xy=(320 + step_px * number, 240), size_px=size_px)
        pictures.append(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    return pictures


def confirm(phone: FlaskClient, token: str, number: str, action: str = "confirm") -> TestResponse:
    """Answer as a phone does that opened the QR's address."""
    page = phone.get(f"/verify_qr?token={token}").text
    return post(phone, "/verify_qr", page, token=token, number=number, action=action)


def sign_in(client: FlaskClient, phone: FlaskClient, token: Callable[[], str]) -> TestResponse:
    """Sign a computer in; the attendance page."""
    shown = open_signin(client)
    assert confirm(phone, token(), shown.number).status_code == 200
    collected = post(client, "/auth", shown.text)
    assert (collected.status_code, collected.location) == (303, "/web_attendance")
    return client.get("/web_attendance")


def attempt(client: FlaskClient, page: str, frames: list[bytes], key: str = "key-0001") -> TestResponse:
    """Send a burst from the attendance page."""
    files = [(io.BytesIO(frame), f"{number}.jpg") for number, frame in enumerate(frames)]
    return client.post("/process_attendance", data={"csrf_token": csrf_of(page), "key": key, "frames": files})


def rows(library: SmartAbsen, table: str) -> int:
    """Rows of a table."""
    with library.services.database.read() as session:
        return int(session.scalar(text(f"SELECT COUNT(*) FROM {table}")))
