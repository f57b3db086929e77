"""A laptop with two cameras: one is chosen, remembered, lost, and called by its name."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from .conftest import LAPTOP, PHONE, Office, find_chromium, sync_api

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOSE = """() => {
  const [track] = document.getElementById("preview").srcObject.getVideoTracks();
  track.stop();
  track.dispatchEvent(new Event("ended"));
}"""
REFUSE = """(name) => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", name));
  document.getElementById("retry").click();
}"""
SHOWN = "document.getElementById('preview').srcObject?.getVideoTracks()[0]?.label"


def wait_until_shown(page: sync_api.Page, camera: str) -> None:
    """Wait for a camera's picture. Playwright's own waiting evaluates text in the page, which its policy forbids."""
    for _ in range(200):
        if page.evaluate(SHOWN) == camera:
            return
        page.wait_for_timeout(100)
    pytest.fail(f"{camera} is not shown: {page.evaluate(SHOWN)}")


def test_the_camera_is_chosen_remembered_and_its_loss_called_by_its_name(
    server: str, playwright: sync_api.Playwright
) -> None:
    """With more than one camera there is a choice; without the chosen one the other can be taken."""
    browser = playwright.chromium.launch(
        executable_path=find_chromium(),
        args=["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=2"],
    )
    try:
        office = Office(
            server,
            browser.new_context(viewport=LAPTOP, locale="en").new_page(),
            browser.new_context(viewport=PHONE, locale="en", device_scale_factor=2).new_page(),
        )
        office.sign_in()
        page, told = office.laptop, office.laptop.locator("#status")
        choice, take = page.locator("#camera-choice"), page.locator("#take")
        sync_api.expect(take).to_be_enabled(timeout=20_000)
        assert choice.locator("option").all_inner_texts() == ["fake_device_0", "fake_device_1"]

        choice.select_option("fake_device_1")
        wait_until_shown(page, "fake_device_1")
        page.reload()
        sync_api.expect(take).to_be_enabled(timeout=20_000)
        assert page.evaluate(SHOWN) == "fake_device_1"
        office.shoot(page, "two-cameras")

        page.evaluate(LOSE)
        sync_api.expect(told).to_contain_text("fake_device_1: This camera was unplugged.")
        sync_api.expect(take).to_be_disabled()
        choice.select_option("fake_device_0")
        sync_api.expect(take).to_be_enabled(timeout=20_000)

        for name, text in (
            ("NotReadableError", "fake_device_0: Another program uses the camera."),
            ("NotFoundError", "No camera was found."),
            ("NotAllowedError", "The camera is not allowed."),
        ):
            page.evaluate(REFUSE, name)
            sync_api.expect(told).to_contain_text(text)
        assert {urlsplit(page.url).netloc} == {urlsplit(server).netloc}
    finally:
        browser.close()
