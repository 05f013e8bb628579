"""The compat modules and their pages: complete, in one form, and true.

That their values are those of the peers is proven in `parity/`.
"""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.stats
from cases import float_dtype, thorough

import jaxsched as js
from jaxsched import compat
from jaxsched.metric_driven.machine import MetricDriven

ROOT = Path(__file__).parents[1]
MODULES = {
    name: importlib.import_module(f"jaxsched.compat.{name}")
    for name in ("optax", "torch", "transformers", "keras", "timm")
}
FUNCTIONS = [
    pytest.param(getattr(module, name), id=f"{peer}-{name}")
    for peer, module in MODULES.items()
    for name in module.__all__
]
PARTS = ["Args:", "Returns:", "Raises:", "Example:"]
each_function = pytest.mark.parametrize("function", FUNCTIONS)


def pages():
    """The generator of the pages."""
    spec = importlib.util.spec_from_file_location(
        "migration", ROOT / "docs/migration.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PAGES = pages()
CALLS = [(peer, call) for peer, page in PAGES.PAGES.items() for call in page.calls]
CALL_IDS = [f"{peer}-{call[:40]}" for peer, call in CALLS]
each_call = pytest.mark.parametrize(("peer", "call"), CALLS, ids=CALL_IDS)


def made(peer, call):
    return eval(call, {**vars(MODULES[peer]), "js": js})


@each_function
def test_docstrings_have_all_parts_in_order(function):
    doc = inspect.getdoc(function)
    assert re.match(r"\S.*[.:]\n", doc)
    found = re.findall(rf"^({'|'.join(PARTS)})", doc, re.M)
    assert found == [part for part in PARTS if part in found]
    assert {"Args:", "Example:"} <= set(found)


@each_function
def test_docstrings_explain_exactly_the_parameters(function):
    args = inspect.getdoc(function).partition("Args:")[2].partition("\n\n")[0]
    explained = re.findall(r"^  (\w+): ", args, re.M)
    assert explained == list(inspect.signature(function).parameters)


def test_compat_imports_no_peer():
    """Nor does the export: a user of one library does not have the others."""
    modules = [
        m.name for m in pkgutil.walk_packages(compat.__path__, "jaxsched.compat.")
    ]
    code = (
        f"import importlib, sys\n[importlib.import_module(m) for m in {modules}]\n"
        "found = {'torch', 'transformers', 'keras', 'timm'} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pages_are_current():
    command = [sys.executable, str(ROOT / "docs" / "migration.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@each_call
def test_pages_show_what_compat_returns(peer, call):
    """The text of the table, read back, is the schedule."""
    schedule = made(peer, call)
    if not isinstance(schedule, MetricDriven):
        assert js.parse(repr(schedule)) == schedule
    text = (ROOT / "docs" / "migration" / f"{peer}.md").read_text("utf-8")
    is_shown = call.partition("(")[0] not in PAGES.UNSHOWN
    assert (f"| `{call}` | `{schedule!r}` |" in text) == is_shown
    assert "compounded(" not in text


def test_text_reads_back_where_compat_was_never_imported():
    """What a saved schedule names is in the core, or read by its module's name."""
    decays = ["linear", "1-sqrt", "cosine", "power", "exp"]
    schedules = [made(peer, call) for peer, call in CALLS]
    schedules += [
        MODULES["timm"].WSDLRScheduler(0.1, 90, 20, decay_fn=decay) for decay in decays
    ]
    texts = [repr(s) for s in schedules]
    script = f"import jaxsched as js; texts = {texts!r}; "
    script += "print([repr(js.parse(text)) for text in texts] == texts)"
    finished = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert finished.stdout == "True\n", finished.stderr


@pytest.mark.parametrize("call", thorough(CALLS, CALLS[::8]), ids=CALL_IDS)
def test_compat_schedules_are_ordinary(call):
    """They map over their numbers, differentiate, and drive an optimizer."""
    peer, call = call
    schedule = made(peer, call)
    if isinstance(schedule, MetricDriven):
        return
    loop = "Multiplicative" in call  # of as many rounds as steps
    some = [0, 1, 30] if loop else [0, 1, 30, 100, 999, 1000, 5000]
    steps = np.resize(some, 32)  # a shape of many tests: its operations are compiled
    expected = schedule.at(steps)
    stacked = js.stack([schedule] * 16)
    with jax.disable_jit():  # operation by operation: nothing more to compile
        both = jax.vmap(lambda s: s(steps))(stacked)
        if not loop:
            of_numbers = jax.grad(lambda s: s(30), allow_int=True)(schedule)
            floats = [
                x for x in jax.tree.leaves(of_numbers) if x.dtype == float_dtype()
            ]
            assert floats
            assert all(np.all(np.isfinite(x)) for x in floats)
    np.testing.assert_allclose(both, [expected] * 16, rtol=1e-4, atol=1e-7)
    with jax.disable_jit(), jax.numpy_dtype_promotion("standard"):
        optimizer = optax.sgd(schedule)
        updates, _ = optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)))
    np.testing.assert_allclose(updates, -expected[0], rtol=1e-6)


@pytest.mark.parametrize("call", thorough(CALLS, CALLS[1::4]), ids=CALL_IDS)
def test_the_rate_may_be_traced(call):
    """A learning rate, or a factor in its place, that JAX differentiates."""
    peer, call = call
    schedule = made(peer, call)
    number = next((n for n in ("0.1", "5e-5", "1.0") if n in call), None)
    if isinstance(schedule, MetricDriven) or number is None:
        return
    traced = re.sub(rf"(?<![\d.]){re.escape(number)}(?!\d)", "X", call)
    steps = np.resize([0, 30, 100, 500], 32)

    def values(x):
        return eval(traced, {**vars(MODULES[peer]), "js": js, "X": x})(steps)

    with jax.disable_jit():  # operation by operation: nothing to compile
        found, slope = jax.jvp(values, (float(number),), (1.0,))
    np.testing.assert_allclose(found, schedule.at(steps), rtol=1e-5, atol=1e-8)
    assert np.all(np.isfinite(slope))
    takes_its_rate_elsewhere = call.startswith(("CyclicLR", "OneCycleLR"))
    assert np.any(slope != 0) or takes_its_rate_elsewhere


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("torch.StepLR(0.1, 30, last_epoch=-2)", "StepLR: last_epoch must be >= -1"),
        (
            "torch.LambdaLR(0.1, [abs, abs])",
            "LambdaLR: lr_lambda must have one entry, as a",
        ),
        ("torch.ConstantLR(0.1, factor=2)", "ConstantLR: factor must be <= 1"),
        ("torch.LinearLR(0.1, 0)", "LinearLR: start_factor must be > 0"),
        ("torch.CosineAnnealingLR(0.1, 0)", "CosineAnnealingLR: T_max must be > 0"),
        ("torch.OneCycleLR(0.1, 1.0)", "OneCycleLR: give total_steps, or epochs and"),
        ("torch.OneCycleLR(0.1, 1.0, 10, pct_start=0.1)", "must not be 1"),
        (
            "torch.OneCycleLR.momentum(0.1, 1.0, 10, cycle_momentum=False)",
            "OneCycleLR: there is no momentum to drive",
        ),
        ("torch.CyclicLR(0.1, 0.1, 1.0, mode='up')", "CyclicLR: mode must be"),
        ("torch.CyclicLR(0.1, 0.1, 1.0, 0)", "CyclicLR: step_size_up must be > 0"),
        ("torch.SequentialLR(0.1, [1.0, 0.1], [])", "one fewer than schedulers"),
        ("torch.SequentialLR(0.1, [1, 1, 1], [5, 2])", "milestones must not decrease"),
        ("torch.SequentialLR(0.1, [], [])", "at least one schedule"),
        ("torch.ChainedScheduler([1.0, 0.1])", "must be the base rate of all"),
        (
            "torch.ChainedScheduler([torch.ReduceLROnPlateau(1.0)], 1.0)",
            "driven by a metric",
        ),
        ("optax.cosine_decay_schedule(0.1, 0)", "decay_steps must be > 0, got"),
        ("optax.warmup_cosine_decay_schedule(0, 1, 10, 10)", "includes the warm-up"),
        (
            "optax.piecewise_constant_schedule(1.0, {3: -1.0})",
            "entry 3: -1.0 must be >= 0",
        ),
        ("optax.linear_onecycle_schedule(0, 1.0)", "transition_steps must be >= 1"),
        ("optax.join_schedules([], [])", "at least one"),
        ("transformers.get_scheduler('square', 0.1)", "name must be one of 'constant'"),
        ("transformers.get_scheduler('linear', 0.1)", "linear needs num_warmup_steps"),
        ("transformers.get_wsd_schedule(0.1, 5, 5)", "give num_training_steps or"),
        (
            "transformers.get_polynomial_decay_schedule_with_warmup(0.1, 5, 9, 0.2)",
            "lr_end must be < lr, got lr_end=0.2, lr=0.1",
        ),
        ("timm.CosineLRScheduler(0.1, 0)", "t_initial must be > 0, got t_initial=0"),
        ("timm.PolyLRScheduler(0.1, 9, lr_min=-1)", "lr_min must be >= 0, got"),
        ("timm.TanhLRScheduler(0.1, 9, lb=4.0)", "lb must be < ub, got lb=4.0, ub=3.0"),
        ("timm.TanhLRScheduler(0.1, 9, warmup_t=-1)", "warmup_t must be >= 0"),
        ("timm.StepLRScheduler(0.1, 9, noise_pct=0)", "noise_pct must be > 0"),
        ("keras.CosineDecay(0.1, 0)", "CosineDecay: decay_steps must be > 0, got"),
        ("keras.CosineDecayRestarts(0.1, -1)", "first_decay_steps must be > 0, got"),
        ("keras.PiecewiseConstantDecay([1], [1.0])", "must be one fewer than values"),
        (
            "keras.PiecewiseConstantDecay([5, 1], [1, 1, 1])",
            "boundaries must not decrease",
        ),
    ],
)
def test_refusals_say_why(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        eval(call, dict(MODULES))


def test_multiplicative_goes_first():
    part = MODULES["torch"].MultiplicativeLR(0.1, js.constant(0.9))
    with pytest.raises(NotImplementedError, match="MultiplicativeLR"):
        MODULES["torch"].SequentialLR(0.1, [0.1, part], [5])


def test_traced_arguments():
    """Where Optax raises: one program for many lengths, peaks and factors."""
    o = MODULES["optax"]

    @jax.jit
    def values(peak, steps, rate):
        schedules = [
            o.warmup_cosine_decay_schedule(0.0, peak, steps // 5, steps),
            o.exponential_decay(peak, steps, rate, end_value=0.01),
            o.polynomial_schedule(peak, 0.0, rate, steps, steps // 2),
            o.cosine_decay_schedule(peak, steps, rate, 2.0),
        ]
        return [schedule(30) for schedule in schedules]

    with jax.numpy_dtype_promotion("standard"):
        found = values(0.5, 60, 0.25)
    theirs = [
        optax.warmup_cosine_decay_schedule(0.0, 0.5, 12, 60),
        optax.exponential_decay(0.5, 60, 0.25, end_value=0.01),
        optax.polynomial_schedule(0.5, 0.0, 0.25, 60, 30),
        optax.cosine_decay_schedule(0.5, 60, 0.25, 2.0),
    ]
    with jax.numpy_dtype_promotion("standard"):
        expected = [float(schedule(30)) for schedule in theirs]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


SERIALIZED = {
    "module": "keras.optimizers.schedules",
    "class_name": "CosineDecay",
    "config": {
        "initial_learning_rate": 0.0,
        "decay_steps": 900,
        "alpha": 0.1,
        "name": "CosineDecay",
        "warmup_target": 0.1,
        "warmup_steps": 100,
    },
    "registered_name": None,
}


def test_from_keras():
    """What Keras writes, and what it used to write."""
    keras = MODULES["keras"]
    expected = js.warmup(js.cosine(0.1, 0.1 * 0.1, 900), 100, 0.0)
    assert keras.from_keras(SERIALIZED) == expected
    old = {key: SERIALIZED[key] for key in ("class_name", "config")}
    assert keras.from_keras(old) == expected


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"class_name": "Mine"}, NotImplementedError, "got class_name='Mine'"),
        ({"registered_name": "me>Mine"}, NotImplementedError, "class_name must be one"),
        ({"config": {"alpha": 1.0}}, TypeError, "initial_learning_rate"),
    ],
)
def test_from_keras_refuses(changes, error, message):
    with pytest.raises(error, match=message):
        MODULES["keras"].from_keras({**SERIALIZED, **changes})


def test_from_keras_refuses_what_is_no_schedule():
    with pytest.raises(TypeError, match="config must be a dict with class_name"):
        MODULES["keras"].from_keras({"learning_rate": 0.1})


def test_cycles_of_a_fraction_are_not_supported():
    with pytest.raises(
        NotImplementedError, match="decay_steps must be a whole number with"
    ):
        MODULES["keras"].PolynomialDecay(0.1, 2.5, cycle=True)


NOISY = {
    "CosineLRScheduler": {"t_initial": 4000, "lr_min": 0.1},
    "TanhLRScheduler": {"t_initial": 4000, "lr_min": 0.1},
    "PolyLRScheduler": {"t_initial": 4000, "lr_min": 0.1},
    "StepLRScheduler": {"decay_t": 1000, "decay_rate": 0.5},
    "MultiStepLRScheduler": {"decay_t": [1000], "decay_rate": 0.5},
    "WSDLRScheduler": {"t_initial": 4500, "decay_t": 1000, "lr_min": 0.1},
}


@pytest.mark.parametrize("name", NOISY)
def test_noise_of_timm(name):
    """Between its steps it is the normal distribution, cut off; elsewhere there is none."""
    function, steps = getattr(MODULES["timm"], name), np.arange(5000)
    plain = np.asarray(function(1.0, **NOISY[name])(steps))

    def noise(**options):
        return np.asarray(function(1.0, **NOISY[name], **options)(steps)) / plain - 1

    drawn = noise(noise_range_t=(1000, 4000), noise_pct=0.3, noise_std=0.2)
    assert np.all(drawn[:1000] == 0)
    assert np.all(drawn[4000:] == 0)
    inside = drawn[1000:4000]
    assert np.all(np.abs(inside) < 0.3 + 1e-6)
    # Cut off at 1.5 deviations; five standard errors of 3000 draws.
    expected = 0.2 * scipy.stats.truncnorm(-1.5, 1.5).std()
    assert abs(inside.std() / expected - 1) < 5 / np.sqrt(2 * 3000)
    assert abs(inside.mean()) < 5 * expected / np.sqrt(3000)
    assert len(np.unique(inside)) > 2900
    again = noise(noise_range_t=[1000, 4000], noise_pct=0.3, noise_std=0.2)
    np.testing.assert_array_equal(drawn, again)
    other = noise(noise_range_t=1000, noise_pct=0.3, noise_std=0.2, noise_seed=7)
    assert np.mean(other[1000:] == 0) < 0.01
    assert not np.array_equal(other[1000:4000], inside)
    assert np.all(noise(noise_range_t=1000, noise_std=0.0) == 0)
