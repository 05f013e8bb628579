"""The documentation site: built without a warning, and opened in a real browser."""

import importlib.util
import re
import shutil

import jax
import pytest

import jaxsched as js
import jaxsched.shapes
from jaxsched.shapes import shapes

pytest_plugins = ["website"]

NEEDED = ["sphinx", "sphinx_book_theme", "playwright"]
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.xdist_group("site"),  # it is built once
    pytest.mark.skipif(
        bool(MISSING) or shutil.which("chromium") is None,
        reason=f"needs Chromium and the docs extra, missing {MISSING or 'Chromium'}",
    ),
    pytest.mark.skipif(jax.config.jax_enable_x64, reason="pages show float32"),
]

# What is left of a formula that no one typeset, outside of code.
RAW_MATHS = r"\\\(|\\\[|\\frac|\\sqrt|\$\$|\\left"


def test_the_pages_are_there(pages):
    """Those that a reader is promised."""
    learn = ["explained", "get_started", "choose", "catalogue", "training", "grids"]
    other = ["your_own", "concepts", "command_line", "gallery/index", "migration/index"]
    about = ["api/index", "accuracy_and_speed", "changelog", "contributing"]
    assert {f"{name}.html" for name in ["index", *learn, *other, *about]} <= set(pages)


def test_nothing_goes_wrong_on_a_page(pages):
    """No error on the console, no request that fails, none to another host."""
    wrong = {name: page["troubles"] for name, page in pages.items()}
    assert {name: found for name, found in wrong.items() if found} == {}


def images(pages) -> list[dict]:
    """Every image of every page, which knows its page."""
    return [
        {**image, "page": name}
        for name, page in pages.items()
        for image in page["images"]
    ]


def test_images_are_there(pages):
    """Each has a width of its own, and words for those who do not see it."""
    found = images(pages)
    assert len(found) > 200
    assert [image for image in found if not image["width"]] == []
    # The thumbnails of the gallery have their titles below them.
    mute = [image for image in found if not image["alt"]]
    assert [image for image in mute if not image["src"].endswith("_thumb.svg")] == []


def test_images_have_no_ground(pages, site, address):
    """In the dark no box is behind a picture, neither the theme's nor its own."""
    for image in images(pages):
        assert image["ground"] == "rgba(0, 0, 0, 0)", image
        assert image["filter"] == "none", image
        text = (site / image["src"].removeprefix(address + "/")).read_text("utf-8")
        assert text.lstrip().startswith(("<?xml", "<svg")), image  # or it is a PNG
        assert not re.search("fill: (#fff|#ffffff|white)[; ]", text), image


def test_pages_fit_a_phone(pages):
    """What is wide scrolls in itself, or is broken."""
    wide = {name: page["phone"] for name, page in pages.items()}
    assert {k: v for k, v in wide.items() if v["page"] > v["screen"]} == {}


def test_tables_fit_a_desk(pages):
    """Nothing of a table or of the measured accuracies must be scrolled for."""
    wide = {name: page["desk"] for name, page in pages.items()}
    assert {
        k: v for k, v in wide.items() if v["page"] > v["screen"] or v["tables"]
    } == {}


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


def schedules() -> set[str]:
    """The public names of schedules."""
    return {name for name in js.__all__ if hasattr(getattr(js, name), "__rule__")}


def test_every_schedule_has_its_chart(pages):
    """In the API, drawn when the site was built."""
    shown = {image["src"].rsplit("/", 1)[-1] for image in images(pages)}
    assert len(schedules()) >= 50
    assert {f"chart_{name}.svg" for name in schedules()} <= shown
    anchors = {id for page in pages.values() for id in page["anchors"]}
    assert {f"jaxsched.{name}" for name in js.__all__} <= anchors


def test_the_catalogue_shows_everything(pages, address):
    """Every schedule, shape and combinator, each picture with a way to its entry."""
    links = {link.partition("#")[2] for link in pages["catalogue.html"]["links"]}
    assert {f"jaxsched.{name}" for name in schedules()} <= links
    shown = [image["src"] for image in pages["catalogue.html"]["images"]]
    ours = [name for name in shapes if hasattr(jaxsched.shapes, name)]
    assert {f"shape_{name}.svg" for name in ours} <= {s.rsplit("/")[-1] for s in shown}
    assert "0.293" in pages["catalogue.html"]["text"]  # "sqrt", half way


# What docstrings call a formula and is an algorithm: it stays code, in this order.
ALGORITHMS = ["better:", "good, bad =", "spike =", "a &gt; target * band:", "rate ="]


def test_formulas_are_typeset(site):
    """No block that a docstring calls a formula is shown as it was typed."""
    pages = (site / "api" / f"{name}.html" for name in ("metric_driven", "training"))
    shown = "".join(path.read_text("utf-8") for path in site.glob("api/*.html"))
    known = "".join(page.read_text("utf-8") for page in pages)
    blocks = r"(?s)<p>Formula[^\n]*</p>\s*<div class=.highlight.*?<pre>(.*?)</pre>"
    code = [re.sub("<[^>]*>", "", block) for block in re.findall(blocks, known)]
    for block, begin in zip(code, ALGORITHMS, strict=True):
        assert block.startswith(begin)
    assert len(re.findall(blocks, shown)) == len(ALGORITHMS)


def test_assistants_find_every_page(pages, site):
    """`llms.txt` lists the pages, and each is there as Markdown."""
    listed = set(
        re.findall(r"\]\(([^)]*)\.md\)", (site / "llms.txt").read_text("utf-8"))
    )
    assert {f"{name}.html" for name in listed} <= set(pages)
    assert {"get_started", "api/cycles", "gallery/curves/plot_wsd"} <= listed
    for name in pages.keys() - {"search.html"}:
        text = (site / name).with_suffix(".md").read_text("utf-8")
        assert text.startswith("# "), name
        assert "</" not in re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL), name


def test_references_are_links(pages):
    """To arXiv, wherever a page names a paper of it."""
    for name, page in pages.items():
        named = set(re.findall(r"arXiv:(\d{4}\.\d{4,5})", page["text"]))
        linked = {link.rsplit("/", 1)[-1] for link in page["links"]}
        assert named <= linked, name


# What a reader types into the search box, and the pages that answer it.
SEARCHES = {
    "warmup": {"explained", "gallery/curves/plot_warmup", "api/recipes"},
    "wsd": {"wsd_branches", "gallery/curves/plot_wsd", "api/recipes"},
    "cosine restarts": {"explained", "api/cycles", "gallery/curves/plot_cycles"},
    "current learning rate": {"log_the_rate"},
    "checkpoint": {"checkpoints", "extend_and_resume"},
    "plateau": {"explained", "training", "api/metric_driven"},
    "onecycle": {"explained", "api/recipes"},
    "per layer": {"fine_tuning"},
    "yaml": {"configs"},
    "tensorboard": {"log_the_rate"},
    "finetune": {"fine_tuning"},
    "lr finder": {"find_a_rate", "api/range_test", "gallery/rates/plot_range_test"},
    "hyperparameter search": {"grids", "api/grids", "gallery/rates/plot_sweep"},
    "ppo": {"reinforcement_learning"},
    "step lr": {"explained", "api/decays", "migration/torch"},
    "StepLR": {"migration/torch"},
    "warmup_cosine_decay_schedule": {"migration/optax"},
    "get_scheduler": {"migration/transformers"},
    "hugging face": {"migration/transformers"},
    "pytorch": {"migration/torch"},
    "keras": {"migration/keras"},
    "timm": {"migration/timm"},
    "linear warmup": {"explained", "api/recipes", "choose"},
    "linear decay": {"explained", "api/transitions"},
    "exponential decay": {"explained", "api/decays"},
    "cosine annealing": {"explained", "api/transitions"},
    "cyclical": {"api/cycles", "gallery/curves/plot_cycles"},
    "noam": {"explained", "api/decays", "api/recipes"},
    "restart training": {"extend_and_resume"},
    "resume": {"extend_and_resume", "checkpoints"},
    "orbax": {"checkpoints"},
    "freeze": {"fine_tuning"},
    "lora": {"fine_tuning"},
    "weight decay": {"other_hyperparameters"},
    "momentum": {"other_hyperparameters"},
    "gradient accumulation": {"training"},
    "train state": {"training"},
    "jit": {"concepts", "training"},
    "epoch": {"training_codes", "concepts", "training"},
    "float32": {"concepts", "accuracy_and_speed"},
    "vmap": {"grids", "api/grids"},
    "hydra": {"configs"},
    "wandb": {"log_the_rate"},
    "custom schedule": {"your_own"},
    "nanogpt": {"training_codes"},
    "llama": {"published", "api/published"},
    "scaling law": {"planning", "api/planning"},
    "command line": {"command_line"},
    "install": {"get_started"},
    "equinox": {"frameworks", "checkpoints"},
}


@pytest.mark.parametrize("words", SEARCHES)
def test_the_search_box_finds_it(words, browser, address):
    """The right page is among the first three."""
    tab = browser.new_page()
    tab.goto(f"{address}/index.html")
    tab.keyboard.press("Control+k")
    tab.locator("dialog input[name=q]").fill(words)
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".search-summary:not(:empty)", timeout=10_000)
    found = tab.locator("ul.search > li > a").evaluate_all("e => e.map(a => a.href)")
    first = [
        link.removeprefix(address + "/").partition(".html")[0] for link in found[:3]
    ]
    assert SEARCHES[words] & set(first), (words, first)
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
