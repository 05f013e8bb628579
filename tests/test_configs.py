"""Configs as they come: containers of other libraries, text inside, names as values."""

import copy
import json
import pickle
import time
import tracemalloc
from collections import UserDict, UserList, deque
from types import MappingProxyType

import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from cases import CASES, IDS, thorough
from driven import DRIVEN, IDS as DRIVEN_IDS
from users import SCHEDULES

import jaxsched as js

ALL = {
    **{name: c.schedule for name, c in zip(IDS, CASES, strict=True)},
    **{f"{i}-user's {s._rule.name}": s for i, s in enumerate(SCHEDULES)},
    **dict(zip(DRIVEN_IDS, DRIVEN, strict=True)),
}
ALL = {name: s for name, s in ALL.items() if "<" not in repr(s)}
USUAL = list({(type(s), s._rule): name for name, s in ALL.items()}.values())

# ----- containers -----


def omega(data):
    return pytest.importorskip("omegaconf").OmegaConf.create(data)


def config_dict(data):
    return pytest.importorskip("ml_collections").ConfigDict(data)


def frozen_config_dict(data):
    module = pytest.importorskip("ml_collections")
    try:
        return module.FrozenConfigDict(data)
    except ValueError:
        pytest.skip("holds no mapping in a list")


def converted(data, mapping, sequence):
    """The same data in containers of other kinds."""
    if isinstance(data, dict):
        return mapping({k: converted(v, mapping, sequence) for k, v in data.items()})
    if isinstance(data, list):
        return sequence([converted(v, mapping, sequence) for v in data])
    return data


CONTAINERS = {
    "omegaconf": omega,
    "ConfigDict": config_dict,
    "FrozenConfigDict": frozen_config_dict,
    "read-only": lambda data: converted(data, MappingProxyType, tuple),
    "wrapped": lambda data: converted(data, UserDict, UserList),
    "deque": lambda data: converted(data, dict, deque),
}


def renamed(data):
    """The same data with each name as a value."""
    if isinstance(data, list):
        return [renamed(v) for v in data]
    if not isinstance(data, dict):
        return data
    [(name, given)] = data.items()
    return {"name": name, **{k: renamed(v) for k, v in given.items()}}


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("name", thorough(ALL, USUAL))
def test_data_is_read_from_containers_of_any_library(name, kind):
    s = ALL[name]
    for data in (js.to_dict(s), renamed(js.to_dict(s))):
        assert js.from_dict(CONTAINERS[kind](data)) == s


def test_a_range_is_a_list():
    data = {
        "piecewise_constant": {"boundaries": range(5, 7), "values": [0.1, 0.2, 0.3]}
    }
    assert js.from_dict(data) == js.piecewise_constant([5, 6], [0.1, 0.2, 0.3])


def test_interpolations_are_resolved():
    """By OmegaConf, as they are read; and what refers to nothing is refused."""
    node = omega(
        {
            "steps": 900,
            "kind": "cosine",
            "schedule": {
                "name": "warmup",
                "schedule": {
                    "name": "${kind}",
                    "init_value": 0.1,
                    "end_value": 0,
                    "steps": "${steps}",
                },
                "steps": "${steps}",
            },
            "text": {"warmup": {"schedule": "cosine(0.1, 0, ${steps})", "steps": 900}},
        }
    )
    made = js.warmup(js.cosine(0.1, 0.0, 900), 900)
    assert js.from_dict(node.schedule) == js.from_dict(node.text) == made
    node.schedule.schedule.steps = "${nothing}"
    with pytest.raises(ValueError, match=r"from_dict: .*nothing.* at schedule\.steps$"):
        js.from_dict(node.schedule)
    node.schedule.schedule.steps = "???"
    with pytest.raises(ValueError, match=r"from_dict: Missing.* at schedule\.steps$"):
        js.from_dict(node.schedule)
    node.schedule.schedule.name = "???"
    with pytest.raises(ValueError, match=r"from_dict: Missing.* at schedule"):
        js.from_dict(node.schedule)


def test_references_are_resolved():
    """Those of ml_collections."""
    data = config_dict({"peak_value": 0.1, "total_steps": 100, "warmup_steps": 10})
    data.warmup_steps = data.get_ref("total_steps") // 5
    made = js.from_dict({"warmup_cosine": data})
    assert made == js.warmup_cosine(0.1, 100, 20)


# ----- text inside -----

LINE = "linear(1.0, 0.0, 10)"
TEXTS = [
    (LINE, js.linear(1.0, 0.0, 10)),
    (
        {"warmup": {"schedule": "cosine(0.1, 0, 900)", "steps": 100}},
        js.warmup(js.cosine(0.1, 0.0, 900), 100),
    ),
    (
        {"join": {"schedules": [LINE, 0.5, f"0.5 * {LINE}"], "boundaries": [5, 9]}},
        js.join([js.linear(1.0, 0.0, 10), 0.5, 0.5 * js.linear(1.0, 0.0, 10)], [5, 9]),
    ),
    (
        {"retime": {"schedule": LINE, "clock": "linear(0, 5, 5)"}},
        js.retime(js.linear(1.0, 0.0, 10), js.linear(0.0, 5.0, 5)),
    ),
    (
        {"warmup": {"schedule": LINE, "steps": 5, "shape": "rex(beta=0.25)"}},
        js.warmup(js.linear(1.0, 0.0, 10), 5, shape=js.rex(0.25)),
    ),
    (
        {"warmup": {"schedule": LINE, "steps": 5, "shape": "cosine"}},
        js.warmup(js.linear(1.0, 0.0, 10), 5, shape="cosine"),
    ),
    (
        {"reduce_on_plateau": {"schedule": f"reduce_on_plateau({LINE})"}},
        js.reduce_on_plateau(js.reduce_on_plateau(js.linear(1.0, 0.0, 10))),
    ),
    (
        {"name": "reduce_on_plateau", "schedule": "warmup_cosine(0.1, 90, 10)"},
        js.reduce_on_plateau(js.warmup_cosine(0.1, 90, 10)),
    ),
    (
        {"damped": {"schedule": "cubic(1.0, 0.0, 5)", "share": 0.5}},
        SCHEDULES[5].replace(
            schedule=SCHEDULES[0].replace(init_value=1.0, end_value=0.0, steps=5)
        ),
    ),
]


@pytest.mark.parametrize(("data", "made"), TEXTS, ids=str)
def test_text_is_read_where_a_schedule_is_expected(data, made):
    assert js.from_dict(data) == made


REFUSED = [
    (
        {"warmup": {"schedule": "cosin(0.1, 0, 900)", "steps": 100}},
        "from_dict: there is no schedule 'cosin'; the nearest is cosine "
        "at warmup.schedule\n  cosin(0.1, 0, 900)\n  ^",
    ),
    (
        {"join": {"schedules": [LINE, "linear(1, 0, -5)"], "boundaries": [5]}},
        "from_dict: linear: steps must be >= 0, got steps=-5 at join.schedules[1]\n"
        "  linear(1, 0, -5)\n               ^",
    ),
    (
        {"warmup": {"schedule": "3e-4", "steps": 5}},
        "from_dict: a schedule is a call such as linear(1, 0, 10) (text; in YAML a "
        "number is written 0.0003) at warmup.schedule\n  3e-4\n  ^",
    ),
    (
        {"warmup": {"schedule": LINE, "steps": 5, "shape": "rexx(0.5)"}},
        "from_dict: there is no shape 'rexx'; the nearest is rex at warmup.shape\n"
        "  rexx(0.5)\n  ^",
    ),
    (
        {"warmup": {"schedule": LINE, "steps": "10"}},
        "from_dict: warmup: steps must be a length, got steps='10' (text; in YAML a "
        "number is written 10.0) at warmup.steps",
    ),
    (
        {"name": "cosine", "init_value": 1.0, "end_value": 0.0, "steps": -5},
        "from_dict: cosine: steps must be >= 0, got steps=-5 at steps",
    ),
    (
        {"name": "warmup", "schedule": {"name": "cosin"}, "steps": 5},
        "from_dict: there is no schedule 'cosin'; the nearest is cosine at schedule",
    ),
    (
        {"name": 5},
        "from_dict: there is no schedule 'name'",
    ),
    (
        {"init_value": 1.0, "end_value": 0.0},
        "from_dict: a schedule is a mapping with one key, its name, or with its name "
        "under 'name', got ['init_value', 'end_value']",
    ),
    (
        {"warmup": {"schedule": {"linear": {}, "cosine": {}}, "steps": 5}},
        "from_dict: a schedule is a mapping with one key, its name, got 'linear' and "
        "'cosine', as a merge of two configs leaves them: replace the mapping as a "
        "whole, or write the name as a value, which a merge replaces: "
        "{'name': 'cosine', ...} at warmup.schedule",
    ),
]


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=lambda row: str(row)[:60])
@pytest.mark.usefixtures("only_package_rules")
def test_refusals_name_the_place(data, message):
    with pytest.raises(ValueError, match="from_dict: ") as caught:
        js.from_dict(data)
    assert str(caught.value).startswith(message)


def test_a_merge_of_two_kinds():
    """As Hydra makes one: the name as a value is replaced, the name as a key is not."""
    merge = pytest.importorskip("omegaconf").OmegaConf.merge
    keys = merge({"linear": {"steps": 5}}, {"cosine": {"steps": 9}})
    with pytest.raises(ValueError, match=r"'linear' and 'cosine'.*'name': 'cosine'"):
        js.from_dict(keys)
    line = {"name": "linear", "init_value": 0.1, "end_value": 0.0, "steps": 5}
    merged = merge(line, {"name": "cosine", "steps": 9})
    assert js.from_dict(merged) == js.cosine(0.1, 0.0, 9)


def test_names_are_given_for_text_inside():
    """What a name means is settled there too."""
    names = {"decay": js.cosine}
    data = {"warmup": {"schedule": "decay(0.1, 0, 900)", "steps": 100}}
    made = js.warmup(js.cosine(0.1, 0.0, 900), 100)
    assert js.from_dict(data, names=names) == made


# ----- data that cannot hurt -----

LONG = "a" * 500_000
HOSTILE = [
    {"join": {"schedules": [f"constant({'1' * 300})"] * 20_000, "boundaries": []}},
    {"join": {"schedules": [LONG] * 400_000, "boundaries": []}},
    {"join": {"schedules": ["constant(1)"] * 400_001, "boundaries": [LONG]}},
    {"piecewise_linear": {"boundaries": range(10**12), "values": [1]}},
    {"piecewise_linear": {"boundaries": [range(10**5)] * 10**5, "values": [1]}},
    {"warmup": {"schedule": "(" * 100_000, "steps": 1}},
    {"constant": {"value": memoryview(bytes(10**6))}},
    {"constant": {"value": bytearray(10**6)}},
    {"name": "constant", **{f"a{i}": 1 for i in range(10_000)}},
]


# Those that take seconds while memory is traced are for the slow run.
QUICK = [*HOSTILE[:2], *HOSTILE[5:]]


@pytest.mark.parametrize("data", thorough(HOSTILE, QUICK), ids=range(len(HOSTILE)))
def test_data_takes_memory_and_time_in_proportion(data):
    tracemalloc.start()
    begin = time.thread_time()
    try:
        with pytest.raises(ValueError, match="from_dict: "):
            js.from_dict(data)
        assert tracemalloc.get_traced_memory()[1] < 300e6
    finally:
        tracemalloc.stop()
    assert time.thread_time() - begin < 20


# ----- a call as it was written -----


@pytest.mark.parametrize("name", thorough(ALL, USUAL))
def test_a_config_of_any_schedule(name):
    """Made of its text; printed, compared, pickled, data and back."""
    s = ALL[name]
    config = js.Config(repr(s))
    assert config.schedule == s
    assert repr(config) == repr(s)
    data = js.to_dict(config)
    assert data == config.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert yaml.safe_load(yaml.safe_dump(data)) == data
    assert js.from_dict(data) == js.from_dict(config) == s
    again = js.Config(**data)
    for other in (again, pickle.loads(pickle.dumps(config)), copy.deepcopy(config)):
        assert other == config
        assert hash(other) == hash(config)
        assert other.schedule == s
        assert js.to_dict(other) == data


@pytest.mark.parametrize("c", CASES, ids=IDS)
def test_a_config_of_any_call(c):
    """It keeps the arguments that were given, and no others."""
    try:
        config = js.Config(c.make, **c.kwargs)
    except ValueError as error:
        assert "<" in repr(c.schedule), error  # noqa: PT017
        return
    assert config.schedule == c.schedule
    assert js.parse(repr(config)) == c.schedule
    assert {*js.to_dict(config)} == {"name", *c.kwargs}
    assert js.Config(repr(config)) == config
    assert js.from_dict(config) == c.schedule


def test_a_config_keeps_the_call():
    """A recipe's arguments, as text, as a call, as data, in records of a run."""
    text = "warmup_cosine(3e-4, total_steps=10_000, warmup_steps=500)"
    config = js.Config(text)
    assert repr(config) == text
    made = js.Config(js.warmup_cosine, 3e-4, total_steps=10_000, warmup_steps=500)
    data = {
        "name": "warmup_cosine",
        "peak_value": 3e-4,
        "total_steps": 10_000,
        "warmup_steps": 500,
    }
    assert config == made == js.Config(**data)
    assert config.to_dict() == made.to_dict() == data
    assert repr(made) == (
        "warmup_cosine(peak_value=0.0003, total_steps=10000, warmup_steps=500)"
    )
    assert config != js.Config(text.replace("500", "400"))
    assert config != js.Config(text.replace("500", "500.0"))
    assert config != config.schedule
    assert js.Config("js.constant(1)") == js.Config(js.constant, 1)
    data = config.to_dict()
    data["peak_value"] = 1.0
    assert config.to_dict()["peak_value"] == 3e-4


def test_configs_hold_schedules_of_every_form():
    """A schedule, a config, a text, and data of both forms are one argument."""
    fall = js.cosine(0.1, 0.0, 900)
    forms = [
        "cosine(0.1, 0.0, 900)",
        fall,
        js.Config(js.cosine, 0.1, 0.0, 900),
        {"name": "cosine", "init_value": 0.1, "end_value": 0.0, "steps": 900},
        {"cosine": {"init_value": 0.1, "end_value": 0.0, "steps": 900}},
    ]
    configs = [js.Config(js.warmup, form, steps=100) for form in forms]
    assert set(configs) == {js.Config("warmup(cosine(0.1, 0.0, 900), 100)")}
    assert {c.schedule for c in configs} == {js.warmup(fall, 100)}
    assert js.from_dict({"warmup": {"schedule": forms[2], "steps": 100}}) == (
        js.warmup(fall, 100)
    )
    joined = js.Config(js.join, [forms[2], 0.5, forms[0]], boundaries=[5, 9])
    assert joined.schedule == js.join([fall, 0.5, fall], [5, 9])
    scaled = js.Config("0.5 * cosine(0.1, 0.0, 900) - 1")
    assert scaled.schedule == 0.5 * fall - 1
    assert js.to_dict(scaled)["name"] == "subtract"
    assert js.Config(**js.to_dict(scaled)) == scaled
    plateau = js.Config("reduce_on_plateau(warmup_cosine(0.1, 90, 10), patience=3)")
    assert plateau.to_dict()["schedule"]["total_steps"] == 90
    assert isinstance(plateau.schedule, js.MetricDriven)
    assert js.Config(js.constant, np.float32(0.5)) == js.Config(js.constant, 0.5)
    value = js.Config(js.constant, np.array(0.5, np.float32))
    assert value.to_dict()["value"] == {
        "name": "array",
        "values": 0.5,
        "dtype": "float32",
    }
    assert js.from_dict(value.to_dict()) == js.constant(jnp.float32(0.5))


def test_a_config_refuses_what_is_no_call():
    ring = []
    ring.append(ring)
    many = [0.5] * 10
    for _ in range(19):
        many = [many] * 10
    for wrong, args, message in [
        ("cosin(0.1, 0, 9)", (), "parse: there is no schedule 'cosin'"),
        ("cosin", (0.1,), "Config: there is no schedule 'cosin'"),
        ("constant(1", (), r"parse: not an expression"),
        (js.constant, (lambda step: 1.0,), "parse: "),
        (js.warmup, (lambda step: 1.0, 5), "parse: .* has no text"),
        (js.constant, (-1, 2), "takes|too many"),
        (
            js.warmup,
            ({"a": 1, "b": 2}, 5),
            "Config: a dict must be the call of a schedule",
        ),
        (js.join, (ring, []), "Config: arguments must be nested <= 200 deep"),
        (js.join, (many, []), "Config: text must be <="),
        (js.rex, (0.5,), "parse: "),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            js.Config(wrong, *args)
    for wrong in (5, None, abs, js.constant(1.0)):
        with pytest.raises(
            TypeError, match="Config: name must be text or a constructor"
        ):
            js.Config(wrong)


@js.schedule
def named_rule(step, name: js.Value):
    """A hyperparameter that is called as a form of data is."""
    return name


def test_a_rule_with_an_argument_called_name():
    """Its data has the other form."""
    config = js.Config("named_rule(0.5)")
    assert js.to_dict(config) == {"named_rule": {"name": 0.5}}
    assert js.from_dict(js.to_dict(config)) == config.schedule == named_rule(0.5)
