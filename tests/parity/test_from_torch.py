"""from_torch goes on as the live scheduler does, in whatever state that is."""

import copy
import functools
import random
import re
import types
import warnings

import jax
import numpy as np
import peer_timm
import pytest

import jaxsched as js
from jaxsched.compat import transformers as our_transformers
from jaxsched.compat.torch import ReduceLROnPlateau, from_torch

torch = pytest.importorskip("torch", reason="reads live schedulers: see extra parity")
from live_states import (  # noqa: E402
    CLASSES,
    HARD,
    ODD,
    Counting,
    advance,
    future,
    optimizer,
    python,
    states,
)
from peer_torch import SETTINGS, build  # noqa: E402
from tables import function_of  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

# A scheduler of schedulers steps them while it is made, before any optimizer can.
pytestmark = pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")

STEPS = 40
STATES = list(states())
each_state = pytest.mark.parametrize(
    "live", STATES, ids=lambda s: f"{s.name}-{s.state}"
)

# In double precision, step by step; PyTorch rounds a tensor to its own.
CLOSE = {"tensors": 1e-5}


def snapshot(scheduler):
    """All that could be touched, as text, and the objects themselves."""
    groups = scheduler.optimizer.param_groups
    plain = [{k: v for k, v in group.items() if k != "params"} for group in groups]
    parts = [scheduler, *getattr(scheduler, "_schedulers", ())]
    attributes = [
        {k: v for k, v in vars(part).items() if k not in ("optimizer", "_schedulers")}
        for part in parts
    ]
    counted = [getattr(f, "calls", 0) for f in getattr(scheduler, "lr_lambdas", ())]
    random = torch.random.get_rng_state().numpy().tobytes()
    return repr((plain, attributes, counted)), random


def assert_goes_on(schedule, scheduler, group, rtol=1e-6, steps=STEPS):
    expected = np.array(future(scheduler, group, steps))
    found = schedule.at(np.arange(len(expected)))
    scale = np.max(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * scale)


def test_there_are_many_states():
    assert len(STATES) >= 150
    assert sum(live.is_plain for live in STATES) >= 150


def read(scheduler, group=0, **options):
    """The schedule, or why there is none; nothing is touched, and nothing is warned of."""
    before = snapshot(scheduler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = from_torch(scheduler, group, **options)
    except ValueError as error:
        found = str(error)
    assert snapshot(scheduler) == before
    return found


@each_state
def test_equal_or_refused(live):
    """Step 0 is the rate of the group now, step k that after k more steps."""
    scheduler = live.make()
    group = len(scheduler.optimizer.param_groups) - 1
    found = read(scheduler, group)
    if isinstance(found, str):
        assert not live.is_plain, found
        assert re.match("from_torch: .*(steps=|got )", found, re.S)
    else:
        assert_goes_on(found, scheduler, group, CLOSE.get(live.state, 1e-6))


WAVES = {
    "long": lambda o: lr_scheduler.CosineAnnealingLR(o, 300, 0.01),
    "short": lambda o: lr_scheduler.CosineAnnealingLR(o, 40),
    "under a ramp": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.LinearLR(o, 0.1, 1.0, 9), lr_scheduler.CosineAnnealingLR(o, 99)]
    ),
    "after a ramp": lambda o: lr_scheduler.SequentialLR(
        o,
        [lr_scheduler.LinearLR(o, 0.1, 1.0, 9), lr_scheduler.CosineAnnealingLR(o, 90)],
        [9],
    ),
}


@pytest.mark.parametrize("made", [3, 55, 130])
@pytest.mark.parametrize("name", WAVES)
def test_far_from_now(name, made):
    """A wave that was halved is so until its bottom, and then no more."""
    scheduler = advance(WAVES[name](optimizer()), made)
    scheduler.optimizer.param_groups[0]["lr"] *= 0.5
    assert_goes_on(read(scheduler), scheduler, 0, steps=900)


@pytest.mark.parametrize("name", HARD)
def test_a_table_where_steps_are_named(name):
    scheduler = advance(HARD[name](optimizer()), 5)
    found = read(scheduler, steps=STEPS)
    if isinstance(found, str):  # PyTorch's own fails
        assert "a copy of it failed" in found
        assert len(future(scheduler, 0, STEPS)) < STEPS
    else:
        assert "call(" in repr(found) or js.parse(repr(found)) == found
        assert_goes_on(found, scheduler, 0)


@pytest.mark.parametrize("name", ["a function, then stairs", "Python", "a user's"])
def test_refused_at_once_without_steps(name):
    with pytest.raises(
        ValueError, match=r"from_torch: scheduler cannot be read, for .*steps="
    ):
        from_torch(HARD[name](optimizer()))


def test_what_differs_is_refused_with_both_numbers():
    """A scheduler that was patched."""
    scheduler = lr_scheduler.ExponentialLR(optimizer(), 0.9)

    def get_lr(self):
        factor = 0.75 if self.last_epoch > 9 else 1.0
        return [factor * lr for lr in type(self).get_lr(self)]

    scheduler.get_lr = types.MethodType(get_lr, scheduler)
    found = read(scheduler)
    assert "PyTorch would give 0.1307" in found
    assert "from now, and the scheduler's attributes say 0.1743" in found


def test_nothing_large_is_copied():
    """Neither the parameters nor the state of the optimizer."""
    weights = torch.nn.Parameter(torch.zeros(10**6))
    adam = torch.optim.Adam([weights], lr=0.1)
    weights.grad = torch.ones(10**6)
    adam.step()

    def refuse(self, memo=None):
        raise AssertionError("copied")

    for tensor in (weights, *adam.state[weights].values()):
        tensor.__deepcopy__ = tensor.__copy__ = refuse.__get__(tensor)
    with pytest.raises(AssertionError, match="copied"):
        copy.deepcopy(weights)
    scheduler = lr_scheduler.ExponentialLR(adam, 0.9)
    assert from_torch(scheduler).at(1) == pytest.approx(0.09)


def test_groups():
    """Each group of parameters has its own schedule."""
    scheduler = lr_scheduler.StepLR(optimizer(0.1, 0.5), step_size=30)
    assert from_torch(scheduler).at(0) == pytest.approx(0.1)
    assert from_torch(scheduler, group=1).at(30) == pytest.approx(0.05)


@pytest.mark.parametrize("made", [0, 1, 7, 23])
@pytest.mark.parametrize("adam", [False, True])
@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR", "OneCycleLR 3"])
def test_momentum(name, adam, made):
    parameter = torch.nn.Parameter(torch.zeros(1))
    own = (
        torch.optim.Adam([parameter], lr=0.5)
        if adam
        else torch.optim.SGD([parameter], lr=0.5, momentum=0.9)
    )
    scheduler = advance(CLASSES[name](own), made)
    schedule = from_torch(scheduler, momentum=True)
    group, expected = own.param_groups[0], []
    for _ in range(30):
        expected.append(group["betas"][0] if adam else group["momentum"])
        advance(scheduler)
    np.testing.assert_allclose(schedule.at(np.arange(30)), expected, rtol=1e-9)


@pytest.mark.parametrize("whole", [True, False])
def test_restarts_within_a_step(whole):
    """`step(epoch)` puts the scheduler anywhere."""
    for epoch in (2.5, 6.75, 8.0, 11.25, 30.5):
        scheduler = lr_scheduler.CosineAnnealingWarmRestarts(optimizer(), 7, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step(int(epoch) if whole else epoch)
        assert_goes_on(from_torch(scheduler), scheduler, 0)


@pytest.mark.parametrize("last_epoch", [0, 5, 20])
@pytest.mark.parametrize(
    "make",
    [
        lambda o, n: lr_scheduler.StepLR(o, 7, 0.5, last_epoch=n),
        lambda o, n: lr_scheduler.CosineAnnealingLR(o, 15, 0.05, last_epoch=n),
        lambda o, n: lr_scheduler.CosineAnnealingWarmRestarts(o, 7, 2, last_epoch=n),
        lambda o, n: lr_scheduler.LinearLR(o, 0.1, 1.0, 10, last_epoch=n),
        lambda o, n: lr_scheduler.LambdaLR(o, lambda t: 0.9**t, last_epoch=n),
        lambda o, n: lr_scheduler.PolynomialLR(o, 30, 2.0, last_epoch=n),
    ],
)
def test_built_with_last_epoch(make, last_epoch):
    own = optimizer()
    own.param_groups[0]["initial_lr"] = 0.5
    scheduler = make(own, last_epoch)
    assert_goes_on(from_torch(scheduler), scheduler, 0)


# Transformers and Accelerate

OPTIONS = {
    "cosine_with_restarts": {"num_cycles": 2},
    "polynomial": {"power": 2.0, "lr_end": 1e-3},
    "cosine_with_min_lr": {"min_lr": 0.01},
    "cosine_warmup_with_min_lr": {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2},
    "warmup_stable_decay": {"num_decay_steps": 9, "decay_type": "1-sqrt"},
}
DRIVEN = {"reduce_lr_on_plateau", "greedy"}


def names_of_transformers():
    transformers = pytest.importorskip("transformers", reason="see the extra parity")
    return [member.value for member in transformers.SchedulerType]


@pytest.mark.parametrize("made", [0, 3, 17])
def test_all_of_transformers(made):
    """Read as what they are: nothing is left of the functions."""
    names = names_of_transformers()
    from transformers import get_scheduler

    for name in names:
        own = optimizer(0.5)
        scheduler = get_scheduler(name, own, 6, 30, OPTIONS.get(name))
        if name in DRIVEN:
            options = {"min_lr": 1e-3, "max_lr": 1.0} if name == "greedy" else {}
            expected = our_transformers.get_scheduler(
                name, 0.5, 6, 30, {**OPTIONS.get(name, {}), **options}
            )
            assert from_torch(scheduler) == expected
            continue
        advance(scheduler, made)
        schedule = from_torch(scheduler)
        assert "call(" not in repr(schedule), name
        assert js.parse(repr(schedule)) == schedule
        assert_goes_on(schedule, scheduler, 0)


class Slotted:
    __slots__ = ("calls",)

    def __init__(self):
        self.calls = [0]


def counted_by_default(epoch, calls=[0]):  # noqa: B006, which is what is tried
    calls[0] += 1
    return 0.5


def counted_by_name(epoch, *, calls=[0]):  # noqa: B006
    calls[0] += 1
    return 0.5


def keeping():
    """Functions that change what they hold, and what that is after each call."""
    generator, drawn = np.random.default_rng(0), random.Random(0)
    tensor, one, slotted = torch.zeros(3), torch.zeros(1), Slotted()
    long, array = list(range(20_000)), np.zeros(3)

    def change(what):
        def function(epoch):
            what()
            return 0.5

        return function

    def add():
        slotted.calls[0] += 1

    def count():
        array[0] += 1

    yield (
        "generator",
        change(lambda: generator.random()),
        lambda: generator.bit_generator.state["state"]["state"],
    )
    yield "random", change(lambda: drawn.random()), lambda: drawn.getstate()
    yield "tensor", change(lambda: tensor.add_(1)), lambda: tensor.tolist()
    yield "one", change(lambda: one.add_(1)), lambda: one.tolist()
    yield "slots", change(add), lambda: slotted.calls[0]
    yield "array", change(count), lambda: array.tolist()
    yield "long list", change(lambda: long.append(0)), lambda: len(long)
    for function in (counted_by_default, counted_by_name):
        held = (function.__defaults__ or (function.__kwdefaults__["calls"],))[0]
        yield function.__name__, function, lambda held=held: held[0]


KEEPING = list(keeping())


@pytest.mark.parametrize("steps", [None, 30])
@pytest.mark.parametrize(
    ("function", "look"), [x[1:] for x in KEEPING], ids=[x[0] for x in KEEPING]
)
def test_what_a_function_holds_is_not_touched(function, look, steps):
    """Generators, tensors, objects, lists and defaults: a copy of it is called."""
    before = look()
    function(0)
    assert look() != before  # the test sees a call
    scheduler = lr_scheduler.LambdaLR(optimizer(), function)
    before = look()
    assert from_torch(scheduler, steps=steps).at(3) == scheduler.get_last_lr()[0]
    assert look() == before


def test_what_a_function_reads_on_and_on_is_refused():
    """A generator or a file cannot be copied, and is not read."""
    numbers = iter(x for x in range(100))
    scheduler = lr_scheduler.LambdaLR(optimizer(), lambda epoch: 0.5 + next(numbers))
    after = next(numbers)
    for steps in (None, 30):
        with pytest.raises(
            ValueError, match="a generator that it reads cannot be copied"
        ):
            from_torch(scheduler, steps=steps)
    assert next(numbers) == after + 1


@pytest.mark.parametrize("made", [0, 5, 19, 20, 25])
@pytest.mark.parametrize("phases", [2, 3])
def test_accelerate_stays_one_step_past_the_end(made: int, phases: int):
    """For it asks a OneCycleLR for one step too many, and for no more."""
    accelerate = pytest.importorskip("accelerate", reason="see the extra parity")
    own = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    live = lr_scheduler.OneCycleLR(own, 0.5, total_steps=20, three_phase=phases == 3)
    prepared, scheduler = accelerate.Accelerator(cpu=True).prepare(own, live)

    def step():
        prepared.step()
        scheduler.step()

    for _ in range(made):
        step()
    rate, momentum = from_torch(scheduler), from_torch(scheduler, momentum=True)
    for k in range(40):
        assert rate.at(k) == pytest.approx(own.param_groups[0]["lr"], rel=1e-9)
        assert momentum.at(k) == pytest.approx(
            own.param_groups[0]["momentum"], rel=1e-9
        )
        step()


def test_schedulers_of_accelerate_hold_one():
    accelerate = pytest.importorskip("accelerate", reason="see the extra parity")
    accelerator = accelerate.Accelerator(cpu=True)
    own = optimizer()
    prepared, scheduler = accelerator.prepare(own, lr_scheduler.StepLR(own, 7, 0.5))
    for _ in range(9):
        prepared.step()
        scheduler.step()
    schedule = from_torch(scheduler)
    assert schedule == js.shift(js.step_decay(0.5, 0.5, 7), 9)


# There and back

SCHEDULE = js.warmup_cosine(0.3, total_steps=30, warmup_steps=5)


@pytest.mark.parametrize("lr", [1.0, 0.5])
def test_what_is_handed_out_comes_back(lr):
    own = optimizer(lr)
    scheduler = lr_scheduler.LambdaLR(own, js.to_torch_lambda(SCHEDULE, lr=lr))
    assert from_torch(scheduler) == SCHEDULE
    advance(scheduler, 4)
    assert from_torch(scheduler) == js.shift(SCHEDULE, 4)


def test_a_table_is_not_longer_than_the_run():
    """A table of more steps than a one-cycle run has is refused."""
    scheduler = lr_scheduler.ChainedScheduler(
        [
            lr_scheduler.OneCycleLR(own := optimizer(), 1.0, total_steps=20),
            lr_scheduler.StepLR(own, 5, 0.5),
        ]
    )
    with pytest.raises(
        ValueError, match="must make 40 steps, but a copy of it"
    ) as caught:
        from_torch(scheduler, steps=40)
    assert "a copy of it (which has no parameters) failed after 21:" in str(
        caught.value
    )


def test_a_scheduler_of_a_schedule():
    """Whatever the rates of the groups are."""
    own = optimizer(0.25, 7.0)
    scheduler = js.to_torch(SCHEDULE, own)
    for step in range(40):
        rates = [group["lr"] for group in own.param_groups]
        np.testing.assert_allclose(rates, SCHEDULE.at(step), rtol=1e-12)
        advance(scheduler)
    scheduler = js.to_torch([SCHEDULE, 0.125], optimizer(0.25, 7.0))
    assert from_torch(scheduler) == SCHEDULE
    assert from_torch(scheduler, 1).at(9) == 0.125


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: js.to_torch(SCHEDULE, 3), TypeError, "optimizer must be one of"),
        (lambda: js.to_torch("a", optimizer()), TypeError, "schedule must be a sch"),
        (
            lambda: js.to_torch([0.1], optimizer(1.0, 2.0)),
            ValueError,
            "2 groups, got 1",
        ),
        (lambda: js.to_torch(0.1, optimizer(0.0)), ValueError, "lr=0.0 in group 0"),
        (lambda: from_torch(3), TypeError, "PyTorch's schedulers, got scheduler=3"),
        (
            lambda: from_torch(CLASSES["StepLR"](optimizer()), 2),
            ValueError,
            "group must be below 1, got group=2",
        ),
        (
            lambda: from_torch(CLASSES["StepLR"](optimizer()), -1),
            ValueError,
            "group must be >= 0, got group=-1",
        ),
        (
            lambda: from_torch(CLASSES["StepLR"](optimizer()), steps=0),
            ValueError,
            "steps must be >= 1, got steps=0",
        ),
        *(
            (
                lambda make=make: from_torch(make(optimizer()), momentum=True),
                ValueError,
                "it does not drive the momentum",
            )
            for make in (
                CLASSES["StepLR"],
                CLASSES["CosineAnnealingLR"],
                CLASSES["warm-up, one cycle"],
                lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0, 5, cycle_momentum=False),
                lambda o: lr_scheduler.OneCycleLR(
                    o, 1.0, total_steps=9, cycle_momentum=False
                ),
            )
        ),
        (
            lambda: from_torch(
                ODD["a group added"](CLASSES["CyclicLR"]), 1, momentum=True
            ),
            ValueError,
            "the base rate of a group that was added later",
        ),
        (
            lambda: from_torch(HARD["a product second"](optimizer()), steps=0.5),
            TypeError,
            "steps must be a whole number",
        ),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_timm_has_functions_of_its_own():
    peer_timm.require()
    scheduler = peer_timm.build("CosineLRScheduler(1.0, t_initial=10)")
    with pytest.raises(TypeError, match=r"jaxsched\.compat\.timm"):
        from_torch(scheduler)


def test_subclasses_are_read_as_what_they_are():
    class Mine(lr_scheduler.ExponentialLR):
        pass

    scheduler = Mine(optimizer(0.1), gamma=0.5)
    assert from_torch(scheduler).at(1) == pytest.approx(0.05)


def test_python_code_is_called_at_once():
    """The schedule does not call it again; the user's own object is not called at all."""
    function = Counting()
    scheduler = lr_scheduler.LambdaLR(optimizer(), function)
    called = function.calls
    schedule = from_torch(scheduler, steps=20)
    assert function.calls == called
    assert schedule.at(3) == pytest.approx(0.5 * 0.97**3)
    table = from_torch(lr_scheduler.LambdaLR(optimizer(), python), steps=20)
    assert table.at(10) == pytest.approx(0.5 * python(10))
    assert js.parse(repr(table)) == table


def test_reduce_on_plateau():
    """The options, from the rate that it has come to."""
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer(0.5), "max", 0.5, 0, 0.25, "abs", 2, [1e-3], 0.0
    )
    for _ in range(3):
        scheduler.step(1.0)
    assert from_torch(scheduler) == ReduceLROnPlateau(
        0.25, "max", 0.5, 0, 0.25, "abs", 2, 1e-3, 0.0
    )


@pytest.mark.parametrize("eps", [0.0, 1e-8, 1e-3, 0.04, 1.0])
@pytest.mark.parametrize("min_lr", [0.0, 1e-6, 0.07])
@pytest.mark.parametrize("factor", [0.1, 0.5, 0.9])
def test_reductions_by_less_than_eps(eps, min_lr, factor):
    """PyTorch leaves them out."""
    real = lr_scheduler.ReduceLROnPlateau(
        optimizer(0.1), factor=factor, patience=0, min_lr=min_lr, eps=eps
    )
    ours = ReduceLROnPlateau(0.1, factor=factor, patience=0, min_lr=min_lr, eps=eps)
    state, update = ours.init(), jax.jit(ours.update)
    for _ in range(30):
        np.testing.assert_allclose(
            ours(state), real.optimizer.param_groups[0]["lr"], rtol=1e-5
        )
        real.step(1.0)
        state = update(state, value=1.0)


# The settings of the grid, five updates in; those resumed repeat those that are not.
GRID = [s for s in SETTINGS if ".momentum(" not in s and "last_epoch=6" not in s]


def live_of(setting):
    """The scheduler after some updates, or None where PyTorch refuses it."""
    try:
        return advance(build(setting), 5)
    except (ValueError, ZeroDivisionError):
        return None


@pytest.mark.parametrize("name", sorted(set(map(function_of, GRID))))
def test_settings_of_the_grid(name):
    """Every other one, whatever it is, is read."""
    compared = 0
    for setting in [s for s in GRID if function_of(s) == name][::2]:
        scheduler = live_of(setting)
        if scheduler is None or getattr(scheduler, "total_steps", 99) <= 5:
            continue
        schedule = read(scheduler)
        assert not isinstance(schedule, str), schedule
        assert_goes_on(schedule, scheduler, 0)
        compared += 1
    assert compared >= 2


# ----- what users write -----


class Phases(lr_scheduler.LRScheduler):
    """Holds its second part under a name of its own, as warm-ups from the net do."""

    def __init__(self, optimizer, after, steps=5):
        self.after, self.steps = after, steps
        super().__init__(optimizer)

    def get_lr(self):
        ramp = min(1.0, (self.last_epoch + 1) / self.steps)
        return [ramp * base for base in self.base_lrs]

    def step(self, epoch=None):
        if getattr(self, "last_epoch", -1) < self.steps:
            super().step(epoch)
        else:
            self.after.step()
            self.last_epoch += 1


class Freezing(lr_scheduler.StepLR):
    """Stops after 100 steps."""

    def get_lr(self):
        if self.last_epoch >= 100:
            return [group["lr"] for group in self.optimizer.param_groups]
        return super().get_lr()


class Remembering:
    """A function that remembers its calls."""

    def __init__(self):
        self.calls, self.seen = 0, {"steps": []}

    def __call__(self, step):
        self.calls += 1
        self.seen["steps"].append(step)
        return 1 / (1 + self.calls)


def counting():
    calls = [0]

    def factor(step):
        calls[0] += 1
        return 1 / (1 + calls[0])

    factor.calls = calls
    return factor


def drawn(step):
    return random.random() * float(torch.rand(()))


USERS = {
    "phases": lambda own: Phases(own, lr_scheduler.ExponentialLR(own, 0.9)),
    "freezing": lambda own: Freezing(own, 10, 0.75),
    "closure": lambda own: lr_scheduler.LambdaLR(own, counting()),
    "object": lambda own: lr_scheduler.LambdaLR(own, Remembering()),
    "method": lambda own: lr_scheduler.LambdaLR(own, Remembering().__call__),
    "partial": lambda own: lr_scheduler.LambdaLR(own, functools.partial(Remembering())),
    "drawn": lambda own: lr_scheduler.LambdaLR(own, drawn),
    "overflow": lambda own: lr_scheduler.LambdaLR(own, lambda t: 1 / (1 + t * 10**7)),
    "floor": lambda own: lr_scheduler.LambdaLR(own, lambda t: max(0.5**t, 1e-9)),
}


@pytest.mark.parametrize("made", [0, 7])
@pytest.mark.parametrize("kind", USERS)
def test_what_users_write_is_a_true_table_and_stays_as_it_is(kind, made):
    """As many rates as are asked for, though the functions count and draw."""

    def fresh():
        random.seed(0)
        torch.manual_seed(0)
        own = optimizer(0.5)
        scheduler = USERS[kind](own)
        advance(scheduler, made)
        return scheduler, own

    scheduler, own = fresh()
    real = []
    for _ in range(300):
        real.append(own.param_groups[0]["lr"])
        scheduler.step()

    scheduler, own = fresh()
    before = own.param_groups[0]["lr"]
    found = from_torch(scheduler, steps=300)
    assert own.param_groups[0]["lr"] == before
    np.testing.assert_allclose(found.at(np.arange(300)), real, rtol=1e-6, atol=1e-12)
    trained = found(np.arange(300, dtype=np.int32))  # as a program computes it
    np.testing.assert_allclose(trained, real, rtol=2e-4, atol=1e-7)
    again = []
    for _ in range(300):
        again.append(own.param_groups[0]["lr"])
        scheduler.step()
    assert again == real  # nothing that the scheduler holds was touched


def test_functions_that_count_in_their_module_are_refused():
    CALLS.clear()

    def counted(step):
        CALLS.append(step)
        return 1 / (1 + len(CALLS))

    scheduler = lr_scheduler.LambdaLR(optimizer(), counted)
    with pytest.raises(ValueError, match="must give the same rates each time"):
        from_torch(scheduler, steps=5)


CALLS = []


def test_a_one_cycle_that_has_ended_hides_nothing():
    """What follows in the sequence is compared all the same."""
    own = optimizer()
    scheduler = lr_scheduler.SequentialLR(
        own,
        [
            lr_scheduler.OneCycleLR(own, 1.0, 20),
            lr_scheduler.LambdaLR(own, lambda t: 0.5 if t < 12 else 0.1),
        ],
        [21],
    )
    advance(scheduler, 30)
    real = []
    found = from_torch(scheduler, steps=10)
    for _ in range(10):
        real.append(own.param_groups[0]["lr"])
        scheduler.step()
    np.testing.assert_allclose(found.at(np.arange(10)), real)


def test_rates_that_are_not_finite_are_refused():
    scheduler = lr_scheduler.ExponentialLR(own := optimizer(), 0.9)
    own.param_groups[0]["lr"] = float("nan")
    for steps in (None, 5):
        with pytest.raises(
            ValueError, match="from_torch: scheduler must have a finite"
        ):
            from_torch(scheduler, steps=steps)
