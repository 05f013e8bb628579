"""The documentation site as its tests see it: built once, served, opened in Chromium."""

import functools
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
CHROMIUM = shutil.which("chromium")

# No page may ask anyone but its own server for anything.
HOST = "127.0.0.1"


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The site, built from a copy: what a build writes beside its sources is not ours."""
    copy = tmp_path_factory.mktemp("source")
    made = ["_build", "gallery", "charts", "inventories", "__pycache__"]
    root = DOCS.parent
    for folder in ("docs", "examples", "benchmarks"):
        shutil.copytree(
            root / folder, copy / folder, ignore=shutil.ignore_patterns(*made)
        )
    shutil.copytree(root / "examples" / "gallery", copy / "examples" / "gallery")
    for page in root.glob("*.md"):
        shutil.copy(page, copy)
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
    done = subprocess.run(
        [*command, str(copy / "docs"), str(out)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def address(site) -> Iterator[str]:
    """Where the site is served."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format, *args):
            pass

    handler = functools.partial(Quiet, directory=str(site))
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, as root too."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


LOOK = """() => {
  const body = document.querySelector('main').cloneNode(true);
  body.querySelectorAll('code, pre, script, mjx-container').forEach(e => e.remove());
  return {
    text: body.textContent,
    links: [...document.querySelectorAll('a[href]')].map(e => e.href),
    images: [...document.images].map(e => ({
      src: e.src, width: e.naturalWidth, alt: e.alt,
      ground: getComputedStyle(e).backgroundColor, filter: getComputedStyle(e).filter,
    })),
    formulas: document.querySelectorAll('.math').length,
    typeset: document.querySelectorAll('.math mjx-container').length,
    flat: [...document.querySelectorAll('.math mjx-container')]
      .filter(e => e.getBoundingClientRect().width < 3).length,
    errors: document.querySelectorAll('mjx-merror, .system-message').length,
    anchors: [...document.querySelectorAll('[id]')].map(e => e.id),
  };
}"""

# What does not fit: the page itself, or a table or a listing that must be scrolled.
WIDE = """() => {
  const scrolls = [...document.querySelectorAll('main table, #accuracy-and-speed pre')]
    .map(e => e.closest('.pst-scrollable-table-container') || e)
    .filter(e => e.scrollWidth > e.clientWidth + 1);
  return {
    screen: innerWidth,
    page: document.documentElement.scrollWidth,
    tables: scrolls.map(e => e.textContent.trim().slice(0, 60)),
  };
}"""
PHONE, DESK = 375, 1400


@pytest.fixture(scope="session")
def pages(site, address, browser):
    """What Chromium finds on every page of the site, by path."""
    found = {}
    tab = browser.new_page(color_scheme="dark")
    troubles: list[str] = []
    tab.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("requestfailed", lambda request: troubles.append(request.url))
    tab.on(
        "request",
        lambda r: (
            None if r.url.startswith((address, "data:")) else troubles.append(r.url)
        ),
    )
    tab.on(
        "response",
        lambda r: troubles.append(f"{r.status} {r.url}") if r.status >= 400 else None,
    )
    for path in sorted(site.rglob("*.html")):
        if "_static" in path.parts:
            continue
        name = path.relative_to(site).as_posix()
        troubles.clear()
        tab.set_viewport_size({"width": DESK, "height": 900})
        tab.goto(f"{address}/{name}", wait_until="networkidle")
        if tab.locator(".math").count():
            tab.evaluate("() => MathJax.startup.promise.then(() => true)")
        tab.evaluate(  # those below the fold are loaded late
            "() => document.querySelectorAll('img').forEach(e => e.loading = 'eager')"
        )
        tab.wait_for_function("() => [...document.images].every(e => e.complete)")
        found[name] = {**tab.evaluate(LOOK), "desk": tab.evaluate(WIDE)}
        tab.set_viewport_size({"width": PHONE, "height": 800})
        found[name] |= {"phone": tab.evaluate(WIDE), "troubles": list(troubles)}
    return found
