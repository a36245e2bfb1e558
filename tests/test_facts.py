# ruff: noqa: E501  (a line of a file and its message are read best side by side)
"""Files of facts: what they may say, how a wrong one is refused, and that every metric is documented by one that works."""

import copy
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from sim import facts, located, verdicts
from sim.compile import compile_scenario
from sim.errors import Problems
from sim.facts import Facts
from sim.kernel import ensemble
from sim.metrics import Record
from sim.runs import prepare
from sim.scenario import read

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def takeover():
    scenario = read("takeover-2021").scenario
    return scenario, compile_scenario(scenario)


def written(folder: Path, text: str) -> Path:
    path = folder / "facts.yaml"
    path.write_text(text, encoding="utf-8")
    return path


FRAME = """record: 1
title: Bad
facts:
  A:
    statement: something
    sample: in
    weight: hard
"""

# What stands after the frame, and the message that it must produce.
BAD_FORM = [
    ("", "facts.yaml:4:3: facts.A: has no test; write `holds`, or `cannot` and why"),
    ("    holds: {count: {}}\n", "facts.A.holds: a test of count needs a bound: at_least, at_most, above, below or equals"),
    ("    holds: {at_least: 1}\n", "facts.A.holds: a test names a metric"),
    ("    holds: {count: {}, rate: {}, above: 0}\n", "facts.A.holds.rate: one metric at a time; count stands here already"),
    ("    holds: {cuont: {}, above: 0}\n", '8:13: facts.A.holds.cuont: unknown key "cuont"; did you mean "count"?'),
    ("    holds: {count: {bye: russia}, above: 0}\n", 'unknown key "bye"; did you mean "by"?'),
    ("    holds: {all: [{count: {}, above: 0}], any: []}\n", "has 0 items; must have at least 1"),
    ("    holds: {all: [{count: {}, above: 0}], count: {}}\n", "`all` stands alone; put `count` in a test of its own"),
    ("    holds: {count: {in: 2021-08, until: 2021-09}, above: 0}\n",
     "facts.A.holds.count.in: is a period by itself; leave out `from` and `until`"),
    ("    holds: {count: {in: august}, above: 0}\n", '"august" is no date; write YYYY-MM or YYYY-MM-DD'),
    ("    holds: {level: {of: Russia.rung}, above: 0}\n", "is no path; write name, actor.name or from.to.name"),
    ("    holds: {count: {plover: AIDE}, above: 0}\n", '"AIDE" is not allowed; did you mean "AID"?'),
    ("    holds: {count: {cameo: 40}, above: 0}\n", "40 is a number; must be text: put it in quotes"),
    ("    holds: {answers: {answer: acepted}, above: 0}\n", '"acepted" is not allowed; did you mean "accepted"?'),
    ("    holds: {promises: {became: keept}, above: 0}\n", '"keept" is not allowed; did you mean "kept"?'),
    ("    holds: {sessions: {dated: 1}, above: 0}\n", "facts.A.holds.sessions.dated: 1 is a number; must be"),
    ("    holds: {outputs: {forum: g20, in: 2021-10, until: 2021-11}, above: 0}\n",
     "facts.A.holds.outputs.in: is a period by itself; leave out `from` and `until`"),
    ("    holds: {over_time: {of: {count: {}}}, above: 0}\n", "facts.A.holds.over_time.take: missing; write for example"),
    ("    holds: {over_time: {of: {}, take: min}, above: 0}\n", "facts.A.holds.over_time.of: names no metric"),
    ("    holds: {turns: {that: {count: {}}}, above: 0}\n", "facts.A.holds.turns.that: a test of count needs a bound"),
    ("    holds: {count: {}, above: yes}\n", '"yes" is a rung; what it is held against is no place on a ladder'),
    ("    cannot: no such thing\n    holds: {count: {}, above: 0}\n",
     "facts.A.cannot: what cannot be expressed has no test; leave `cannot` or the test out"),
    ("    scope: ablation\n    holds: {count: {}, above: 0}\n", "facts.A.scope: an ablation says by `without` what is taken away"),
    ("    without: {calm: 1}\n    holds: {count: {}, above: 0}\n", "facts.A.without: goes with `scope: ablation`"),
    ("    scope: ensemble\n    pooled: {count: {}, above: 0}\n    holds: {count: {}, above: 0}\n",
     "facts.A.pooled: scope ensemble averages over runs anyway; leave it out"),
    ("    want: 90\n    holds: {count: {}, above: 0}\n", "facts.A.want: 90 is out of range; must be 0..1"),
    ("    holds: {count: {}, above: 0, times: .nan}\n", "is not a finite number"),
]  # fmt: skip


@pytest.mark.parametrize(("rest", "message"), BAD_FORM, ids=[message[-50:] for _, message in BAD_FORM])
def test_a_malformed_file_is_refused_with_its_mend(tmp_path: Path, rest: str, message: str, takeover):
    with pytest.raises(Problems) as refused:
        verdicts.bind(facts.read(written(tmp_path, FRAME + rest)), *takeover)
    assert message in str(refused.value)


BAD_NAMES = [
    ("{count: {by: rusia}, above: 0}", '8:21: facts.A.holds.count.by: no actor "rusia"; did you mean "russia"?'),
    ("{count: {action: recognize}, above: 0}", 'no action "recognize"; did you mean "recognise"?'),
    ("{count: {channel: wrods}, above: 0}", 'no channel "wrods"; did you mean "words"?'),
    ("{count: {weigh: finances}, above: 0}", 'no capability "finances"; did you mean "finance"?'),
    ("{count: {by: self}, above: 0}", 'no actor "self" (`self` stands for an actor only within each, some, actors,'),
    ("{level: {of: taliban.contrl}, above: 0}", 'no indicator "taliban.contrl"; did you mean "taliban.control"?'),
    ("{level: {of: russia.taliban.rung}, above: misson}", 'no rung "misson"; did you mean "mission"?'),
    ("{level: {of: taliban.control}, above: mission}", '"mission" is a rung; what it is held against is no place'),
    ("{level: {of: taliban.control}, above: 2021-08}", '"2021-08" is a date; only a turn (first, peak) can be held'),
    ("{count: {in: 2021-13}, above: 0}", '"2021-13" is no day of the calendar'),
    ("{count: {from: 2021-09, until: 2021-08}, above: 0}", "2021-09 to 2021-08 runs backwards"),
    ("{events: {incident: daesh_atack}, above: 0}", 'no incident "daesh_atack"; did you mean "daesh_attack"?'),
    ("{sessions: {forum: g21}, above: 0}", '8:24: facts.A.holds.sessions.forum: no forum "g21"; did you mean "g20"?'),
    ("{sessions: {present: indai}, above: 0}", 'no actor "indai"; did you mean "india"?'),
    ("{sessions: {convener: russia, dated: true}, above: 0}", "a session that a date brought has no convener; leave one"),
    ("{outputs: {output: pledge}, above: 0}", 'facts.A.holds.outputs.output: no output "pledge"; did you mean "pledges"?'),
    ("{answers: {bargain: western_pakage}, above: 0}", 'no bargain "western_pakage"; did you mean "western_package"?'),
    ("{answers: {by: rusia, toward: talibam}, above: 0}", 'no actor "talibam"; did you mean "taliban"?'),
    ("{promises: {kind: good_fiath}, above: 0}", 'promises.kind: no assurance "good_fiath"; did you mean "good_faith"?'),
    ("{promises: {giver: rusia}, above: 0}", 'facts.A.holds.promises.giver: no actor "rusia"; did you mean "russia"?'),
    ("{relied: {kind: bordres}, above: 0}", 'no assurance "bordres"; did you mean "borders"?'),
    ("{relied: {receiver: self}, above: 0}", 'no actor "self" (`self` stands for an actor only within each, some,'),
    ("{rank: {of: iran, among: [china, russia], by: {count: {by: self}}}, equals: 1}", "is not among those it is ranked"),
    ("{each: {of: neighbor, that: {count: {by: self}, above: 0}}}", 'no actor "neighbor"; did you mean "neighbour"?'),
    ("{each: {of: outsider, that: {level: {of: self.taliban.hint}, at_least: 0}}}", 'no indicator "europe.taliban.hint"'),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "message"), BAD_NAMES, ids=[message[:60] for _, message in BAD_NAMES])
def test_a_wrong_name_is_refused_with_the_nearest(tmp_path: Path, holds: str, message: str, takeover):
    with pytest.raises(Problems) as refused:
        verdicts.bind(facts.read(written(tmp_path, f"{FRAME}    holds: {holds}\n")), *takeover)
    assert message in str(refused.value)


def test_what_would_never_end_is_refused(tmp_path: Path, takeover):
    deep = "{count: {}, above: 0}"
    for _ in range(5):
        deep = f"{{turns: {{that: {deep}, from: 2021-05, until: 2021-11}}, above: 0}}"
    with pytest.raises(Problems, match="more than 4 metrics over turns or actors within one another"):
        verdicts.bind(facts.read(written(tmp_path, f"{FRAME}    holds: {deep}\n")), *takeover)
    wide = "{count: {by: self}, above: 0}"
    for _ in range(4):
        wide = f"{{each: {{of: party, that: {wide}}}}}"
    with pytest.raises(Problems, match="more than 5,000 parts"):
        verdicts.bind(facts.read(written(tmp_path, f"{FRAME}    holds: {wide}\n")), *takeover)


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path, takeover):
    text = FRAME + "    holds: {count: {by: rusia, action: recognize}, above: 0}\n"
    with pytest.raises(Problems) as refused:
        verdicts.bind(facts.read(written(tmp_path, text)), *takeover)
    assert len(refused.value.problems) == 2


def test_what_is_no_file_of_facts_is_refused(tmp_path: Path):
    with pytest.raises(Problems, match="no file of facts: it begins with `record: 1`"):
        facts.read(written(tmp_path, "tightrope: 1\n"))
    with pytest.raises(Problems, match="cannot be read"):
        facts.read(tmp_path / "none.yaml")


def test_the_shipped_facts_are_all_there_and_bind(takeover):
    read_ = facts.read()
    assert list(read_.file.facts) == [f"SF-{n:02d}" for n in range(1, 35)]
    assert {fact.sample for fact in read_.file.facts.values()} == {"in"}
    bound = verdicts.bind(read_, *takeover)
    assert len(bound.facts) == 34
    assert not bound.cannot
    assert not bound.outside
    assert [fact.notes for fact in bound.facts if fact.notes] == []


def test_a_sample_is_read_without_the_other(tmp_path: Path):
    text = FRAME + "    holds: {count: {}, above: 0}\n  B:\n    statement: later\n    sample: out\n    weight: soft\n"
    path = written(tmp_path, text + "    holds: {count: {}, above: 0}\n")
    assert list(facts.read(path).file.facts) == ["A", "B"]
    assert list(facts.read(path, sample="in").file.facts) == ["A"]
    assert "later" not in str(facts.read(path, sample="in").file)


def test_facts_of_another_period_are_outside(takeover):
    scenario, compiled = takeover
    later = scenario.model_copy(update={"start": "2022-01"})
    bound = verdicts.bind(facts.read(), later, compiled)
    assert not bound.facts
    assert len(bound.outside) == 34


GARBAGE = [
    None, True, 3, -1.5, "russia", "self", "2021-08", "mission", "taliban.control", "", "x" * 300, [], {}, [1], ["self"],
    {"count": {}}, {"count": {}, "at_least": 1}, {"all": []}, {"level": {"of": "taliban.control"}, "below": "2021-09"},
    {"peak": {"of": {"count": {}}}, "at_most": "2021-09"}, {"share": {"of": {"count": {}}, "among": {"count": {}}}},
]  # fmt: skip


def places(value, at=()):
    yield at
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*at, key))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("error")
def test_no_garbage_in_a_file_ends_in_a_traceback(seed: int, takeover):
    scenario, compiled = takeover
    shipped, chance = facts.read().document.data, random.Random(seed)
    record = Record.of(ensemble(compiled, 1, range(2)))
    weighed, told = 0, []
    for _ in range(100):
        raw = copy.deepcopy(shipped)
        name = chance.choice(list(raw["facts"]))
        raw["facts"] = {name: raw["facts"][name]}
        *way, last = chance.choice([at for at in places(raw["facts"]) if at])
        node = raw["facts"]
        for word in way:
            node = node[word]
        if chance.random() < 0.75:
            node[last] = copy.deepcopy(chance.choice(GARBAGE))
        else:
            del node[last]
        document, found = located.parse(located.dump(raw), "facts.yaml")
        file, problems = facts.formed(document)
        try:
            if found or problems or file is None:
                raise Problems([*found, *problems])
            for fact in verdicts.bind(Facts(file, document, Path("facts.yaml")), scenario, compiled).facts:
                fact.judge(fact.measure(record))
            weighed += 1
        except Problems as error:
            told.append(error.problems)
    assert weighed > 10
    assert len(told) > 50
    assert all(problems and all(problem.line for problem in problems) for problems in told)


QUESTIONS = [  # about the year after, none of which is a claim about it
    "actors: {among: outsider, that: {level: {of: self.taliban.rung}, at_least: accredits}}, at_least: 2, at_most: 6",
    "actors: {among: neighbour, that: {change: {of: self.taliban.rung}, above: 0}, share: true}, above: 0.5",
    'rate: {action: hint_recognition, by: russia, until: "2022-02"}, above: 0.25',
    'level: {of: world_attention, from: "2022-03", take: mean}, below: {level: {of: world_attention, until: "2022-02"}}',
    "first: {that: {count: {by: russia, plover: CONSULT}, at_least: 1}},"
    " below: {first: {that: {level: {of: russia.taliban.rung}, at_least: accredits}}}",
    "rank: {of: china, among: outsider, by: {goldstein: {by: self, toward: taliban}}}, at_most: 5",
    "correlation: {of: {level: {of: self.taliban.stance}}, with: {count: {by: self, toward: taliban, cameo: '04'}},"
    " among: outsider, kind: spearman}, above: 0",
    "over_time: {of: {change: {of: taliban.rights}}, take: max}, at_most: 0",
    "peak: {of: {count: {plover: AID}}}, at_most: 2022-03",
    'events: {dated: true, in: "2022-02"}, equals: 1',
    "events: {incident: daesh_abroad, on: tajikistan}, at_least: 1",
    "turns: {that: {any: [{count: {by: west, toward: taliban}, above: 0},"
    " {not: {level: {of: resistance}, above: 0.1}}]}}, at_least: 3",
    "goldstein: {by: tajikistan, toward: taliban, take: mean}, below: {goldstein: {by: uzbekistan, toward: taliban}}",
    "level: {of: [russia.taliban.credibility_counter_daesh, taliban.russia.promised_counter_daesh]}, at_least: 0.3",
    "share: {of: {count: {by: russia, quad: verbal_cooperation}}, among: {count: {by: russia}}}, at_least: 0.5",
]


@pytest.fixture(scope="module")
def year():
    return prepare("year-one")


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_about_the_year_after_can_be_said(tmp_path: Path, question: str, year):
    ready = year
    bound = verdicts.bind(
        facts.read(written(tmp_path, f"{FRAME}    holds: {{{question}}}\n")), ready.scenario, ready.compiled
    )
    assert not bound.outside
    sides = bound.facts[0].measure(Record.of(ensemble(ready.compiled, 1, range(4))))
    assert sides.shape[0] == 4
    assert not np.isnan(sides[:, :, 0]).all()


# ------------------------------------------------------------------------------------------------------- the guide


def examples() -> list[tuple[str, str]]:
    """(metric, YAML) of each example in the guide's section on metrics."""
    section = GUIDE[GUIDE.index("## Metrics") : GUIDE.index("## How facts are scored")]
    found = []
    for part in section.split("\n\n**")[1:]:
        told, _, block = f"**{part}".partition("```yaml\n")
        names, texts = re.findall(r"\*\*([a-z_]+)\*\*", told), block.partition("```")[0].split("---\n")
        found += [(name, text) for name in names for text in texts]
    return found


def test_the_guide_shows_every_metric():
    shown = {}
    for name, text in examples():
        shown.setdefault(name, set()).update(re.findall(r"[a-z_]+(?=:)", text))
    assert set(shown) == set(facts.METRICS)
    assert [name for name, words in shown.items() if name not in words] == []


@pytest.mark.parametrize("text", list(dict.fromkeys(text for _, text in examples())))
def test_every_example_of_the_guide_binds(text: str, takeover):
    raw = {"record": 1, "title": "t", "facts": {"F": {"statement": "one", "sample": "in", "weight": "hard"}}}
    loader = located.parse(text, "example")[0]
    assert loader is not None
    raw["facts"]["F"]["holds"] = loader.data
    document, found = located.parse(located.dump(raw), "example")
    file, problems = facts.formed(document)
    assert not found + problems
    bound = verdicts.bind(Facts(file, document, Path("example")), *takeover)
    assert [fact.notes for fact in bound.facts] == [()]


def test_the_guide_tells_every_key():
    kinds = (facts.OutputsOf, facts.AnswersOf, facts.PromisesOf, facts.ReliedOf)
    for model in (facts.Fact, facts.ActsOf, facts.Condition, *kinds):
        for name, field in model.model_fields.items():
            assert re.search(rf"`{field.alias or name}\b|\*\*{name}\*\*|`{name.rstrip('_')}:", GUIDE), name


def test_the_guides_first_file_is_read(tmp_path: Path):
    text = re.search(r"```yaml\n(record: 1.*?)```", GUIDE, re.DOTALL)
    assert text is not None
    assert list(facts.read(written(tmp_path, text[1])).file.facts) == ["Y-01"]


def test_the_schema_describes_every_field_and_takes_the_shipped_facts():
    jsonschema = pytest.importorskip("jsonschema")
    schema = facts.schema()
    text = (ROOT / "seeds" / "facts.yaml").read_text(encoding="utf-8")
    jsonschema.validate(json.loads(json.dumps(yaml.safe_load(text), default=str)), schema)
    for kind in schema["$defs"].values():
        assert all("description" in field for field in kind.get("properties", {}).values())
