"""The documentation site: built without a warning, and opened in a real browser."""

import functools
import importlib.util
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jax
import pytest

import jaxsched as js

DOCS = Path(__file__).parents[1] / "docs"
CHROMIUM = shutil.which("chromium")
NEEDED = ["sphinx", "sphinx_book_theme", "playwright"]
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]

pytestmark = [
    pytest.mark.skipif(
        bool(MISSING) or CHROMIUM is None,
        reason=f"needs Chromium and the docs extra, missing {MISSING or 'Chromium'}",
    ),
    pytest.mark.skipif(jax.config.jax_enable_x64, reason="pages show float32"),
]

# No page may ask anyone but its own server for anything.
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, as root too."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


# What is left of a formula that no one typeset, outside of code.
RAW_MATHS = r"\\\(|\\\[|\\frac|\\sqrt|\$\$|\\left"

LOOK = """() => {
  const body = document.querySelector('main').cloneNode(true);
  body.querySelectorAll('code, pre, script, mjx-container').forEach(e => e.remove());
  return {
    text: body.textContent,
    links: [...document.querySelectorAll('a[href]')].map(e => e.href),
    images: [...document.images].map(e => [e.src, e.naturalWidth]),
    formulas: document.querySelectorAll('.math').length,
    typeset: document.querySelectorAll('.math mjx-container').length,
    flat: [...document.querySelectorAll('.math mjx-container')]
      .filter(e => e.getBoundingClientRect().width < 3).length,
    errors: document.querySelectorAll('mjx-merror, .system-message').length,
    anchors: [...document.querySelectorAll('[id]')].map(e => e.id),
  };
}"""


@pytest.fixture(scope="module")
def pages(site, address, browser):
    """What Chromium finds on every page of the site, by path."""
    found = {}
    tab = browser.new_page()
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
        tab.goto(f"{address}/{name}", wait_until="networkidle")
        if tab.locator(".math").count():
            tab.evaluate("() => MathJax.startup.promise.then(() => true)")
        tab.evaluate(  # those below the fold are loaded late
            "() => document.querySelectorAll('img').forEach(e => e.loading = 'eager')"
        )
        tab.wait_for_function("() => [...document.images].every(e => e.complete)")
        found[name] = {**tab.evaluate(LOOK), "troubles": list(troubles)}
    return found


def test_the_pages_are_there(pages):
    """Those that a reader is promised."""
    learn = ["get_started", "concepts", "choose", "training", "grids", "your_own"]
    other = ["command_line", "gallery/index", "migration/index", "recipes"]
    about = ["api/index", "accuracy_and_speed", "changelog", "contributing"]
    assert {f"{name}.html" for name in ["index", *learn, *other, *about]} <= set(pages)


def test_nothing_goes_wrong_on_a_page(pages):
    """No error on the console, no request that fails, none to another host."""
    wrong = {name: page["troubles"] for name, page in pages.items()}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_images_are_there(pages):
    """Each has a width of its own."""
    images = {
        (name, *image) for name, page in pages.items() for image in page["images"]
    }
    assert len(images) > 60
    assert [image for image in images if image[2] == 0] == []


def test_links_lead_somewhere(pages, site, address):
    """To a file of the site, and to a place in it. Other hosts are not asked."""
    broken = []
    for name, page in pages.items():
        for link in page["links"]:
            if not link.startswith(address):
                assert link.startswith(("https://", "http://", "mailto:")), link
                continue
            path, _, anchor = link.removeprefix(address + "/").partition("#")
            path = path.partition("?")[0] or "index.html"
            there = path in pages or (site / path).is_file()
            if not there or (anchor and anchor not in pages[path]["anchors"]):
                broken.append((name, link))
    assert broken == []


def test_maths_is_typeset(pages):
    """Every formula, without an error, and none is left as it was typed."""
    assert pages["concepts.html"]["formulas"] > 10
    for name, page in pages.items():
        assert page["typeset"] == page["formulas"], name
        assert (page["flat"], page["errors"]) == (0, 0), name
        assert not re.search(RAW_MATHS, page["text"]), name


def test_every_schedule_has_its_chart(pages):
    """In the API, drawn when the site was built."""
    shown = {src.rsplit("/", 1)[-1] for p in pages.values() for src, _ in p["images"]}
    known = {name for name in js.__all__ if hasattr(getattr(js, name), "__rule__")}
    assert len(known) >= 50
    assert {f"{name}.svg" for name in known} <= shown
    anchors = {id for page in pages.values() for id in page["anchors"]}
    assert {f"jaxsched.{name}" for name in js.__all__} <= anchors


def test_search_finds_a_schedule(browser, address):
    """The site's own search, which needs no server."""
    tab = browser.new_page()
    tab.goto(f"{address}/search.html?q=cosine_restarts")
    tab.wait_for_selector("ul.search li a")
    assert "cosine_restarts" in tab.locator("ul.search").inner_text()
    tab.close()


def test_code_is_copied_without_its_prompts(browser, address):
    """What a reader pastes runs."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.goto(f"{address}/index.html")
    tab.hover("div.highlight pre")
    tab.locator("button.copybtn").first.click()
    copied = tab.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith(
        "import optax, jaxsched as js\nschedule = js.warmup_cosine("
    )
    context.close()


@pytest.mark.parametrize("width", [360, 1300])
def test_pages_fit_the_screen(width, browser, address):
    """Of a telephone too: what is wide scrolls in itself."""
    tab = browser.new_page(viewport={"width": width, "height": 800})
    for name in ("index", "choose", "migration/torch", "api/transitions"):
        tab.goto(f"{address}/{name}.html")
        wide = tab.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, name
    tab.close()
