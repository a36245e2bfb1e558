"""Bad input ends in one message that names every place, and in nothing else."""

from __future__ import annotations

import copy
import os
import random
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.worlds import generated
from sim import located
from sim.compile import compile_scenario
from sim.data import scenarios as shipped
from sim.errors import Problems
from sim.problems import problems, too_large
from sim.scenario import Scenario, parse, read
from tests.strategies import random_scenario

FOLDER = Path(__file__).resolve().parent / "bad"
EXPECTED = sorted(path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("*.expected"))

GOOD = """\
tightrope: 1
title: A good file
start: 2030-01
turns: 12
indicators:
  unrest: {scope: world, start: 0.5}
actors:
  alba: {}
"""


def told(name: str | Path) -> str:
    """The message that a file ends in."""
    with pytest.raises(Problems) as caught:
        read(name)
    return str(caught.value)


def told_of(folder: Path, content: bytes | str) -> str:
    """The message about a file of some content, without the closing line."""
    (folder / "bad.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    *lines, closing = told("bad.yaml").splitlines()
    assert closing == f"{len(lines)} problem{'s' * (len(lines) != 1)}; nothing was run"
    return "\n".join(lines)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", EXPECTED, ids=str)
def test_a_bad_file_ends_in_its_expected_message(name, monkeypatch):
    monkeypatch.chdir(FOLDER)
    assert told(f"{name}.yaml") == (FOLDER / f"{name}.expected").read_text(encoding="utf-8").rstrip("\n")


def test_every_bad_file_has_its_expected_message():
    alone = {path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("*.yaml")} - set(EXPECTED)
    assert alone == {Path("circle/two"), Path("extended/base")}  # read by way of another


# -------------------------------------------------------------------------------------------- not text at all


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD.encode("utf-16"), "bad.yaml: is written in UTF-16; save it as UTF-8"),
        (GOOD.encode("utf-16-be"), "bad.yaml: looks like UTF-16; save it as UTF-8"),
        (GOOD.encode("utf-32"), "bad.yaml: is written in UTF-32; save it as UTF-8"),
        (
            GOOD.replace("good", "près de").encode("latin-1"),
            "bad.yaml:2:12: byte 0xE8 is not UTF-8 (Latin-1?); save the file as UTF-8",
        ),
        (GOOD.replace("good", "go\0d"), "bad.yaml:2:12: NUL character (U+0000) is not allowed; remove it"),
        (GOOD.replace("good", "go\x1b[2Jd"), "bad.yaml:2:12: control character (U+001B) is not allowed; remove it"),
        (GOOD.replace("good", "go\x85od"), "bad.yaml:2:12: control character (U+0085) is not allowed; remove it"),
        (
            GOOD.replace("good", "go\ufeffd"),
            "bad.yaml:2:12: ZERO WIDTH NO-BREAK SPACE (U+FEFF) is not allowed; remove it",
        ),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "bad.yaml:1:1: byte 0xFF is not UTF-8 (Latin-1?); save the file as UTF-8"),
        (b"#" * 2_000_001, "bad.yaml: is larger than 2 MB, which is more than any scenario needs"),
        (b"\xef\xbb\xbf", "bad.yaml:1:1: the file is empty"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_what_is_no_utf8_text_is_told_as_such(content, message, folder):
    assert told_of(folder, content) == message


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.rstrip().encode(),
        b"---\n" + GOOD.encode(),
    ],
    ids=["BOM", "CRLF", "no last line end", "document mark"],
)
def test_harmless_differences_are_accepted(content, folder):
    (folder / "good.yaml").write_bytes(content)
    assert read("good.yaml").scenario.title == "A good file"


# ------------------------------------------------------------------------------------------------- not a file


def test_a_folder_is_no_file(folder):
    (folder / "bad.yaml").mkdir()
    assert told("bad.yaml").startswith("bad.yaml: is a folder; name a YAML file\n")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/stdin"])
def test_a_device_is_no_file(device, folder):
    if not Path(device).is_char_device():
        pytest.skip(f"{device} is no device here")
    assert told(device).startswith(f"{device}: is a device; name a YAML file\n")


def test_a_pipe_is_refused_without_waiting_for_it(folder):
    os.mkfifo("bad.yaml")
    assert told("bad.yaml").startswith("bad.yaml: is a pipe; name a YAML file\n")


def test_a_socket_is_no_file(folder):
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind("bad.yaml")
        assert told("bad.yaml").startswith("bad.yaml: is a socket; name a YAML file\n")


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(folder):
    (folder / "bad.yaml").write_text(GOOD)
    (folder / "bad.yaml").chmod(0)
    assert told("bad.yaml").startswith("bad.yaml: cannot be read: Permission denied\n")


def test_a_file_that_fails_while_it_is_read_is_told(folder, monkeypatch):
    (folder / "bad.yaml").write_text(GOOD)

    def fail(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(located.os, "open", fail)
    assert told("bad.yaml").startswith("bad.yaml: cannot be read: Permission denied\n")


def test_a_link_that_leads_round_in_a_circle_is_told(folder):
    (folder / "bad.yaml").symlink_to("bad.yaml")
    assert "bad.yaml: no such file" in told("bad.yaml")


# ------------------------------------------------------------------------------------------- more than enough


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: " + "[" * 900_000, "bad.yaml:1:33: nested more than 30 deep"),
        ("{a: " * 400_000, "bad.yaml:1:121: nested more than 30 deep"),
        ("- " * 900_000, "bad.yaml:1:61: nested more than 30 deep"),
        ("".join(" " * n + "a:\n" for n in range(1900)), "bad.yaml:31:31: nested more than 30 deep"),
        (
            "a: [" + "1," * 900_000 + "]",
            "bad.yaml:1:199999: more than 100000 values; that is more than any scenario needs",
        ),
        (
            GOOD.replace("12", "9" * 5000),
            f"bad.yaml:4:8: turns: {'9' * 40}... has 5000 digits; a number has at most 300",
        ),
        (
            GOOD.replace("0.5", "0." + "9" * 5000),
            f"bad.yaml:6:33: indicators.unrest.start: 0.{'9' * 38}... is too large or too long a number",
        ),
        (GOOD + "x" * 1_900_000, "bad.yaml:9:1: a key without its colon, or a text that should be in quotes"),
        (
            GOOD.replace("alba: {}", ", ".join(f"a{n}: {{}}" for n in range(1001))).replace("actors:", "actors: {")
            + "}",
            "bad.yaml:7:1: actors: 1001 actors; at most 1000",
        ),
    ],
    ids=["lists", "mappings", "dashes", "blocks", "values", "digits", "decimals", "a long line", "actors"],
)
def test_a_file_of_more_than_enough_is_told_where_enough_is(content, message, folder):
    assert told_of(folder, content) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            GOOD.replace("\n  alba: {}", " {}") + "outcomes:\n  calm: {end: alba.unrest}\n",
            "bad.yaml:7:1: actors: there is no actor; a scenario needs at least one",
        ),
        (
            GOOD.replace("2030-01", '"0000-01"'),
            "bad.yaml:3:8: start: there is no year 0; write YYYY-MM or YYYY-MM-DD",
        ),
        (
            GOOD.replace("{scope: world, start: 0.5}", "\n    scope: world\n    start: 0,08"),
            'bad.yaml:8:12: indicators.unrest.start: "0,08" is text; must be a number; write 0.08, with a point',
        ),
    ],
    ids=["nobody", "the year 0", "a decimal comma"],
)
def test_what_is_likely_meant_is_told(content, message, folder):
    assert told_of(folder, content) == message


def crowd(actors: int, **blocks: Any) -> dict[str, Any]:
    """A world of so many actors, all of one tag."""
    return {
        "tightrope": 1, "title": "A crowd", "start": "2030-01", "turns": 12,
        "indicators": {"x": {"scope": "actor", "start": 0.5}},
        "actors": {f"a{n}": {"tags": ["everyone"]} for n in range(actors)},
    } | blocks  # fmt: skip


def deed(of: str = "target.x") -> dict[str, Any]:
    return {
        "cameo": "010", "plover": "NONE", "channel": "words", "by": "everyone", "toward": "everyone", "cost": 0.002,
        "effects": [{"of": of, "add": 0.01}],
    }  # fmt: skip


PROMISE = {"from": "everyone", "to": "everyone", "fade": 0.1, "reliability": 0.5, "kept": 1, "broken": 1} | {
    "forgetting": 0.1, "signal": 1
}  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            crowd(300, actions={f"act{n}": deed() for n in range(200)}),
            "actions.act0: makes 89,700 of 17,940,000 options; at most 1,000,000; name fewer in `by` and `toward`",
        ),
        (crowd(300, actions={"act": deed("everyone.x")}), "actions.act: makes 26,999,700 of 26,999,700 effects"),
        (
            crowd(500, couplings={"all": {"from": "everyone.x", "to": "everyone.x", "add": 0.1}}),
            "couplings.all: makes 250,000 of 250,000 couplings; at most 200,000",
        ),
        (
            crowd(500, couplings={"all": {"by": "everyone", "from": "self.x", "to": "everyone.x", "add": 0.1}}),
            "couplings.all: makes 250,000 of 250,000 couplings",
        ),
        (
            crowd(
                500, incidents={"raid": {"on": "everyone", "hazard": 0.1, "effects": [{"of": "everyone.x", "add": 1}]}}
            ),
            "incidents.raid: makes 250,500 of 250,500 effects of incidents",
        ),
        (crowd(500, assurances={"quiet": PROMISE}), "assurances.quiet: makes 249,500 of 249,500 beliefs"),
        (
            crowd(400, assurances={"quiet": PROMISE}, incidents={
                "raid": {"on": "everyone", "hazard": 0.1, "belies": [{"promise": "quiet", "by": "everyone"}]}
            }),
            "incidents.raid: makes 64,000,000 of 64,000,000 beliefs that incidents speak to",
        ),
        (
            crowd(1000, timeline=[{"date": "2030-02", "title": "All", "set": {"everyone.x": 1}}] * 1001),
            "timeline[0]: makes 1,000 of 1,001,000 indicators set or moved",
        ),
    ],
    ids=["options", "effects", "couplings", "by", "incidents", "beliefs", "belies", "events"],
)  # fmt: skip
def test_a_small_file_that_would_make_too_much_is_refused_at_once(raw, message):
    scenario = Scenario.model_validate(raw)
    (found,) = too_large(scenario)
    assert ": ".join(found).startswith(message)
    assert problems(scenario) == [found]
    assert "slots" not in vars(scenario)  # nothing was laid out


def test_a_world_of_two_hundred_actors_with_eighteen_actions_is_not_too_large():
    for raw in (crowd(200, actions={f"act{n}": deed() for n in range(18)}), generated(200)):
        assert too_large(Scenario.model_validate(raw)) == []


def test_at_most_a_hundred_problems_are_told(folder):
    (folder / "bad.yaml").write_text(GOOD + "".join(f"key_{n}: 1\n" for n in range(1000)))
    assert len(told("bad.yaml").splitlines()) == 101
    (folder / "bad.yaml").write_text(GOOD + "set: {" + ", ".join(f"a{n}.unrest: 1" for n in range(1000)) + "}\n")
    assert len(told("bad.yaml").splitlines()) == 101


def test_a_short_file_that_unfolds_is_not_unfolded(folder):
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    assert "aliases (*a0) are not allowed" in told_of(folder, text)


# ------------------------------------------------------------------------------------------------ anything at all

MINIMAL = (shipped() / "minimal.yaml").read_bytes()
PIECES = [
    b"\t",
    b"\x00",
    b"&a ",
    b"*a",
    b"!!int ",
    b"- ",
    b": ",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"'",
    b"#",
    b"|\n",
    b"\n",
]
PIECES += [
    b"\xff",
    "é".encode(),
    b"0123",
    b".nan",
    b"null",
    b"1e999",
    b"? ",
    b"---\n",
    b"%TAG ! x\n",
    b"<<: ",
    b"\\u0000",
]


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """The tutorial's file with some bytes cut out, put in, doubled or exchanged."""
    content = bytearray(MINIMAL)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 40))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=4) | st.sampled_from(content.split()))
        kind = draw(st.sampled_from(["cut", "insert", "replace", "double"]))
        if kind == "double":
            piece = bytes(content[place : place + length])
        content[place : place + (length if kind in ("cut", "replace") else 0)] = b"" if kind == "cut" else piece
    return bytes(content)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """One folder for all the examples of a property."""
    return tmp_path_factory.mktemp("spoilt")


@given(content=spoilt())
def test_no_spoilt_file_ends_in_anything_but_problems(content, scratch):
    check_told(scratch, content)


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_end_in_anything_but_problems(content, scratch):
    check_told(scratch, content)


def check_told(folder: Path, content: bytes) -> None:
    """Reading either works or raises `Problems`, each of which says something in one line of printable text."""
    path = folder / "spoilt.yaml"
    path.write_bytes(content)
    problems = []
    try:
        read(path)
    except Problems as error:
        problems = error.problems
        if not problems:
            raise
    for problem in problems:
        assert problem.message
        assert str(problem).isprintable(), str(problem)
        assert problem.line is None or problem.line <= content.count(b"\n") + content.count(b"\r") + 1


JUNK = (
    None, True, 3, -1, 0.5, 1e15, 1e300, 10**299, "", "self", "target", "default", "x", "Bad Name", "a.b", "2030-13",
    [], {}, ["x"], [1], {"x": 1}, {"value": 1}, {"default": "x"}, {"of": "x"}, {"not": 1}, {"claim": 1}, [[{}]], "arda",
    "état",
)  # fmt: skip
KEYS = ("x", "self", "of", "claim", "default", "arda", "a.b", "Bad", "wealth")


@given(st.integers(0, 10**9))
def test_no_misshapen_data_ends_in_anything_but_problems(seed):
    rng = random.Random(seed)
    raw = random_scenario(rng)
    for _ in range(rng.randint(1, 4)):
        spoil(raw, rng)
    try:
        whole = parse(raw)
    except Problems as error:
        assert str(error).replace("\n", "").isprintable()  # noqa: PT017
    else:
        compile_scenario(whole)


def spoil(block: dict[str, Any], rng: random.Random) -> None:
    """Exchange, take out or add one thing somewhere in a mapping."""
    node: Any = block
    while True:
        key = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if not node[key] or not isinstance(node[key], (dict, list)) or rng.random() < 0.2:
            break
        node = node[key]
    kind = rng.choice(["exchange", "exchange", "take out", "add"])
    if kind == "take out" and len(node) > 1:
        del node[key]
    elif kind == "add" and isinstance(node, dict):
        node[rng.choice(KEYS)] = copy.deepcopy(rng.choice(JUNK))
    else:
        node[key] = copy.deepcopy(rng.choice(JUNK))
