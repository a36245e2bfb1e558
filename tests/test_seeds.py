"""What the documents say: seeds/ holds together and stays within what its own tables declare."""

import calendar
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

SEEDS = Path(__file__).parent.parent / "seeds"
FLAGS = {"hedged", "reported", "implied"}
BASES = {"stated", "implied", "not_covered"}


def load(name):
    return yaml.safe_load((SEEDS / f"{name}.yaml").read_text(encoding="utf-8"))


DOCUMENTS, CLAIMS, CHRONOLOGY = load("documents"), load("claims"), load("chronology")
POSITIONS, CODES = load("positions"), load("codes")

ACTORS = {actor["id"] for actor in DOCUMENTS["actors"]}
SECTIONS = {
    (document["id"], section["id"]): section for document in DOCUMENTS["documents"] for section in document["sections"]
}
CLAIM_IDS = {claim["id"] for claim in CLAIMS["claims"]}
CODE = {code["code"]: code for code in CODES["codes"]}
RUNGS = [rung["name"] for rung in POSITIONS["ladder"]]
EVENTS = [event for event in CHRONOLOGY["events"] if not event.get("status")]


def days(text):
    """First and last day of an ISO date cut to a year, a month or a day; ValueError where it is none."""
    if not re.fullmatch(r"\d{4}(-\d\d){0,2}", text):
        raise ValueError(text)
    parts = [int(part) for part in text.split("-")]
    first = date(*parts, *[1] * (3 - len(parts)))
    if len(parts) == 3:
        return first, first
    month = first.month if len(parts) == 2 else 12
    return first, date(first.year, month, calendar.monthrange(first.year, month)[1])


def sample_of(last_day):
    if last_day < date(2021, 5, 1):
        return "background"
    return "in" if last_day <= date(2021, 11, 30) else "out"


def places(locator):
    """(document, section, paragraph, footnotes) of each place in a locator; further places leave out the document."""
    document = None
    found = []
    for part in locator.split("; "):
        match = re.fullmatch(
            r"(?:(FRS2021|Riddle2022) )?(Intro|§\d(?: [A-Z]\w+)?|Standfirst|Exception|Since24Feb)"
            r"(?: ¶(\d+)(?:-¶(\d+))?)?(?: (fn[\dfn, -]+))?",
            part,
        )
        assert match, f"not a locator: {part!r} in {locator!r}"
        document = match[1] or document
        footnotes = []
        for span in re.findall(r"(\d+)(?:-(\d+))?", match[5] or ""):
            footnotes += range(int(span[0]), int(span[1] or span[0]) + 1)
        first = int(match[3] or 1)
        found += [(document, match[2], paragraph, footnotes) for paragraph in range(first, int(match[4] or first) + 1)]
    return found


def test_there_is_enough_evidence():
    assert len(CLAIM_IDS) >= 200
    assert len(EVENTS) >= 90


@pytest.mark.parametrize(
    "entries",
    [DOCUMENTS["documents"], DOCUMENTS["actors"], CLAIMS["claims"], CHRONOLOGY["events"]],
    ids=["documents", "actors", "claims", "events"],
)
def test_ids_are_unique(entries):
    ids = [entry["id"] for entry in entries]
    assert len(ids) == len(set(ids))


def test_codes_are_unique_text():
    codes = [code["code"] for code in CODES["codes"]]
    assert len(codes) == len(set(codes))
    assert all(isinstance(code, str) and re.fullmatch(r"\d{3,4}", code) for code in codes)


def test_an_actor_has_one_position_a_date():
    keys = [(position["actor"], position["date"]) for position in POSITIONS["positions"]]
    assert len(keys) == len(set(keys))
    dates = {when for _, when in keys}
    assert dates == {"2021-05", "2021-11", "2022-08"}
    assert set(keys) == {(actor, when) for actor, _ in keys for when in dates}


@pytest.mark.parametrize("claim", CLAIMS["claims"], ids=lambda claim: claim["id"])
def test_claim_stands_where_it_says(claim):
    assert re.fullmatch(r"FRS-\d{3}|RID-\d{3}", claim["id"])
    place = claim["place"]
    assert place["document"] == {"FRS": "FRS2021", "RID": "Riddle2022"}[claim["id"][:3]]
    parts = (place["document"], place["section"], place["paragraph"], place["footnotes"])
    assert places(claim["locator"]) == [parts]


@pytest.mark.parametrize("entry", CLAIMS["claims"] + CHRONOLOGY["events"], ids=lambda entry: entry["id"])
def test_locator_lies_within_its_document(entry):
    for document, section, paragraph, footnotes in places(entry["locator"]):
        assert 1 <= paragraph <= SECTIONS[document, section]["paragraphs"]
        called = SECTIONS[document, section]["footnotes"][paragraph - 1]
        assert not footnotes or called[0] <= footnotes[0] <= footnotes[-1] <= called[-1]


def test_footnotes_are_counted_through():
    for document in DOCUMENTS["documents"]:
        assert all(len(section["footnotes"]) == section["paragraphs"] for section in document["sections"])
        spans = [span for section in document["sections"] for span in section["footnotes"] if span]
        counted = [number for span in spans for number in range(span[0], span[-1] + 1)]
        assert counted == list(range(1, document["footnotes"] + 1))


@pytest.mark.parametrize("claim", CLAIMS["claims"], ids=lambda claim: claim["id"])
def test_claim_is_of_a_declared_kind(claim):
    assert claim["kind"] in CLAIMS["kinds"]
    assert set(CLAIMS["flags"]) == FLAGS
    assert set(claim["flags"]) <= FLAGS
    assert claim["actors"]
    assert set(claim["actors"]) <= ACTORS
    assert claim["statement"].strip()
    assert claim["bears_on"]


@pytest.mark.parametrize("claim", CLAIMS["claims"], ids=lambda claim: claim["id"])
def test_claim_dates_parse_and_run_forward(claim):
    dates = claim["dates"]
    assert dates["period"]
    start, end = dates["from"], dates["to"]
    assert dates["precision"] in ({"day", "month", "year"} if start or end else {None})
    if start and end:
        assert days(end)[1] >= days(start)[0]
    for text in filter(None, (start, end)):
        days(text)


@pytest.mark.parametrize("event", CHRONOLOGY["events"], ids=lambda event: event["id"])
def test_event_dates_parse_and_agree_with_its_sample(event):
    assert re.fullmatch(r"E-\d{3}", event["id"])
    assert event["basis"] in {"text", "publication", "approximate"}
    first, last = days(event["date"])
    if "end" in event:
        assert event["precision"] == "span"
        last = days(event["end"])[1]
        assert last >= first
    else:
        assert event["precision"] == {4: "year", 7: "month", 10: "day"}[len(event["date"])]
    assert event["sample"] == sample_of(last)


@pytest.mark.parametrize("event", CHRONOLOGY["events"], ids=lambda event: event["id"])
def test_event_names_declared_actors_and_claims(event):
    assert event["source"]
    assert event["target"]
    also = [entry["target"] for entry in event.get("also", [])]
    assert {*event["source"], *event["target"], *also} <= ACTORS
    assert event["claims"]
    assert set(event["claims"]) <= CLAIM_IDS
    assert event["what"].strip()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["id"])
def test_event_is_coded_by_the_table(event):
    assert event["plover"] == CODE[event["cameo"]]["plover"]
    assert event["cooperation"] in {"coop", "conf", "neutral"}
    assert (event["intensity"] is None) == (event["cooperation"] == "neutral")
    for act in [event, *event.get("also", [])]:
        assert act["cooperation"] == "neutral" or act["intensity"] in {1, 2, 3}


def test_status_rows_carry_no_code():
    assert not any("cameo" in event for event in CHRONOLOGY["events"] if event.get("status"))


@pytest.mark.parametrize("code", CODES["codes"], ids=lambda code: code["code"])
def test_code_has_its_two_scales(code):
    assert -10 <= code["goldstein"] <= 10
    assert (code["plover"] is None) == (code["intensity"] is None)
    if code["basis"] == "weights":
        listed = CODE[code["as"]]
        assert listed["basis"] == "table"
        assert (listed["plover"], listed["intensity"]) == (code["plover"], code["intensity"])
    else:
        assert code["basis"] == "table"


def test_ladder_has_its_ten_rungs():
    assert RUNGS == [
        "against",
        "none",
        "indirect",
        "contact",
        "mission",
        "dealings",
        "receives",
        "accredits",
        "ambassador",
        "recognition",
    ]
    assert [rung["level"] for rung in POSITIONS["ladder"]] == list(range(10))


def ordered(value, scale):
    """Whether a value, or both ends of a [low, high] pair in that order, stand on the scale."""
    ends = value if isinstance(value, list) else [value]
    return len(ends) in {1, 2} and set(ends) <= set(scale) and ends == sorted(set(ends), key=scale.index)


@pytest.mark.parametrize("position", POSITIONS["positions"], ids=lambda entry: f"{entry['actor']}-{entry['date']}")
def test_position_is_on_the_scales_and_says_its_basis(position):
    assert position["actor"] in ACTORS
    assert position["sample"] == sample_of(days(position["date"])[1])
    assert set(position["claims"]) <= CLAIM_IDS
    for name, scale in (("stance", [-2, -1, 0, 1, 2]), ("rung", RUNGS), ("presence", [0, 1])):
        value, basis = position[name]["value"], position[name]["basis"]
        assert basis in BASES
        if value is None:
            assert basis == "not_covered"
        else:
            assert ordered(value, scale)
    if any(position[name]["basis"] == "stated" for name in ("stance", "rung", "presence")):
        assert position["claims"]


@pytest.mark.parametrize("count", POSITIONS["counts"], ids=str)
def test_count_agrees_with_the_positions(count):
    """As many actors as the count says can stand there, and no more than it says must."""
    bound = RUNGS.index(count.get("at_least") or count["at"])
    assert set(count["claims"]) <= CLAIM_IDS
    assert count["sample"] == sample_of(days(count["date"])[1])
    if "at" in count:  # states that no document names: nothing to compare
        return
    lows, highs = {}, {}
    for position in POSITIONS["positions"]:
        if position["date"] == count["date"] and position["rung"]["basis"] != "not_covered":
            ends = position["rung"]["value"]
            ends = ends if isinstance(ends, list) else [ends]
            lows[position["actor"]], highs[position["actor"]] = RUNGS.index(ends[0]), RUNGS.index(ends[-1])
    must = {actor for actor, low in lows.items() if low >= bound}
    assert len(must) <= count["count"]
    if count["among"]:
        assert must <= set(count["among"])
        assert set(count.get("includes", [])) <= must
