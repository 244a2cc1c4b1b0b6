"""Pages in a real browser, and everything that goes wrong on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# As in dashboard.js.
POLL_S = 2.0

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        # The page can reach no other host.
        nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", nowhere])
        yield browser
        browser.close()


class Desk:
    """A page, and everything that went wrong on it. `expects` are the faults that the test causes."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.expects: list[str] = []
        self.asked: list[str] = []
        self._faults: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self._faults.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.clock.install()

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._faults.append(f"{message.text} {message.location['url']}")

    def faults(self) -> list[str]:
        hosts = {urlsplit(url.removeprefix("blob:")).hostname for url in self.asked}
        unexpected = [fault for fault in self._faults if not any(word in fault for word in self.expects)]
        return [*unexpected, *(f"it asked {host}" for host in hosts - {"127.0.0.1"})]

    def card(self, name: str) -> Locator:
        return self.page.locator(f"[id='stream-{name}']")

    def pass_s(self, seconds: float) -> Literal[False]:
        """Move the page's clock. Returns False, so that a condition can begin with this call."""
        self.page.clock.run_for(round(1000 * seconds))
        return False

    def poll(self) -> None:
        """Return when the page has loaded itself again."""
        with self.page.expect_response(lambda response: urlsplit(response.url).path == "/"):
            self.pass_s(POLL_S)
