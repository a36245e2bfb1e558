"""Scenarios with a hostile string in every text field, a study and facts of one, and hostile names of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.located import dump
from sim.scenario import as_data, read

STRINGS = (
    "<script>window.hacked = 1</script>",
    "<img src=x onerror=window.hacked=2>",
    "{{ 7919*7907 }}",
    "{{ constructor.constructor('window.hacked=3')() }}",
    "${7919*7907}",
    "#{7919*7907}",
    "<%= 7919*7907 %>",
    "<svg onload=window.hacked=4>",
    "<svg><script>window.hacked=5</script></svg>",
    "javascript:window.hacked=6",
    "<a href=\"javascript:window.hacked=7\">x</a>",
    "<iframe src=\"javascript:window.hacked=8\"></iframe>",
    "\"><script>window.hacked=9</script>",
    "'><img src=x onerror=window.hacked=10>",
    "</script><script>window.hacked=11</script>",
    "</title><script>window.hacked=12</script>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=window.hacked=13></style></mglyph></math>",
    "<details open ontoggle=window.hacked=14>",
    "<body onload=window.hacked=15>",
    "<input autofocus onfocus=window.hacked=16>",
    "<marquee onstart=window.hacked=17>",
    "<b v-html=\"window.hacked=18\">x</b>",
    "<div v-on:click=\"window.hacked=19\">x</div>",
    "[x](javascript:window.hacked=20)",
    "![x](http://example.org/leaves.png)",
    "<link rel=stylesheet href=http://example.org/leaves.css>",
    "<style>@import 'http://example.org/leaves.css';</style>",
    "{b} {c} {a|b} {@[2]}",
    "&lt;script&gt;window.hacked=21&lt;/script&gt; &amp; &#x3C;",
    "__proto__ constructor %s %n \\u003cscript\\u003e $& $1",
    "=HYPERLINK(\"http://example.org\",\"x\")",
    "a <!-- --> b <![CDATA[ c ]]>",
)  # fmt: skip
EVALUATED = str(7919 * 7907)  # what some of them would become
TEXTS = {"title", "description", "assumption", "zero", "one"}
TITLED = ("actors", "actions", "incidents", "assurances", "outcomes", "indicators", "timeline", "bargains", "fora")
SEALED = ("couplings",)  # blocks that have an assumption and no title
BESIDE = Path(__file__).resolve().parent.parent / "dealings.yaml"
# Names that a file may have on Linux, without its ending.
NAMES = (
    "<img src=x onerror=window.hacked=31>",
    "{{ 7919*7907 }} 'a' \"b\" & %20 #?=",
    "a\nb\tc",
    "-rf --help $(id) `id` ; *",
    "=cmd|' é 漢 \u202egpj",
)


def scenario() -> str:
    """The tutorial, with each of its texts, and titles where it has none, a hostile string: each string in some."""
    raw = as_data(read("minimal").scenario)
    raw["timeline"] = [
        {"date": "2030-03", "title": "x", "add": {"raiders": 0.1}},
        {"date": "2030-04", "title": "x", "act": {"by": "alba", "action": "talk", "target": "front"}},
    ]
    return dump(_worn(raw))


def dealings() -> str:
    """Actors who bargain, meet and promise, with all that a scenario may hold, and every text that it may have a
    hostile string."""
    raw = as_data(read(BESIDE).scenario)
    raw["description"] = "x"
    raw["timeline"] = [
        {"date": "2030-03", "title": "x", "add": {"peace": {"value": 0.1, "assumption": "x"}}},
        {"date": "2030-04", "title": "x", "act": {"by": "north", "action": "lend", "target": "rebels"}},
        {"date": "2030-05", "title": "x", "set": {"peace": {"value": 0.4, "assumption": "x"}}},
    ]
    raw["couplings"] = {"calm_pays": {"from": "peace", "to": "rebels.funds", "add": 0.02}}
    raw["indicators"]["tie"] = {"scope": "dyad", "from": "north", "to": "rebels", "start": "none",
                                "ladder": ["none", "talks", "pact"]}  # fmt: skip
    raw["model"] = {"assumption": "x", "hold": {"value": 0.5, "assumption": "x"}}
    raw["set"] = {"peace": {"value": 0.4, "range": [0.2, 0.6], "assumption": "x"}}
    lend, trust = raw["actions"]["lend"], raw["actions"]["trust"]
    lend["needs"] = [{"of": "target.funds", "at_most": 0.9, "assumption": "x"}]
    lend["cost"] = {"default": 0.008, "east": 0.01, "assumption": "x"}
    trust["signals"] = [{"promise": "quiet", "by": "target", "kept": 0.5, "assumption": "x"}]
    trust["effects"].append({"of": "self.rebels.tie", "raise_to": "talks", "assumption": "x"})
    trust["by"] = "north"
    raw["incidents"]["raid"]["plus"] = [{"of": "rebels.funds", "add": 0.1, "assumption": "x"}]
    raw["fora"]["round_table"]["agenda"]["line"]["assumption"] = "x"
    raw["fora"]["round_table"]["outputs"]["truce"] |= {"title": "x", "assumption": "x"}
    for one in raw["actors"].values():
        one |= {"capabilities": {"purse": 0.5, "assumption": "x"}, "stakes": {"default": 0.1, "assumption": "x"}}
        one["challenge"]["assumption"] = "x"
        for interest in one["interests"].values():
            interest["assumption"] = "x"
    for block in (*TITLED, *SEALED):
        for part in raw[block] if isinstance(raw[block], list) else raw[block].values():
            part["assumption"] = "x"
            for effect in part.get("effects", ()):
                effect["assumption"] = "x"
    for part in raw["indicators"].values():
        part |= {"zero": "x", "one": "x"} if "ladder" not in part else {}
    return dump(_worn(raw))


def study(of: str) -> str:
    """A study of a scenario file beside it, with hostile texts."""
    return dump({
        "study": 1, "title": STRINGS[1], "question": "\n\n".join(STRINGS), "scenario": of,
        "vary": {"assurances.quiet.reliability": [0.2, 0.5, 0.8], "actors.north.interests.peace.salience": [0.4, 0.8]},
        "replicates": 8, "levers": ["assurances.quiet.reliability"],
        "variants": {"other": {"title": STRINGS[3], "set": {"actions.lend.cost.default": 0.02}}},
        "outcomes": ["calm", "loans"],
        "ask": {"raids": {"title": STRINGS[7], "incidents": "raid"}},
    })  # fmt: skip


def facts() -> str:
    """Facts about `dealings`, with hostile texts."""
    said = {"sample": "in", "weight": "hard", "statement": STRINGS[0], "locator": STRINGS[2], "assumption": STRINGS[3]}
    return dump({
        "record": 1, "title": STRINGS[1],
        "facts": {
            "T-1": said | {"holds": {"count": {"action": "lend"}, "at_least": 40}},
            "T-2": said | {"given": STRINGS[13], "holds": {"count": {"action": "lend"}, "at_least": 1}},
            "T-3": said | {"statement": STRINGS[14], "cannot": STRINGS[15]},
        },
    })  # fmt: skip


def _worn(raw: Any) -> Any:
    """A scenario with a title for all that may have one, and each text a hostile string: each string in some."""
    for block in TITLED:
        parts = raw.get(block, {})
        for part in parts if isinstance(parts, list) else parts.values():
            part["title"] = "x"
    count = [0]

    def worn(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: _next(count) if key in TEXTS and isinstance(value, str) else worn(value)
                    for key, value in part.items()}  # fmt: skip
        return [worn(one) for one in part] if isinstance(part, list) else part

    said = worn(raw)
    assert count[0] >= len(STRINGS), "each string is used"
    return said


def _next(count: list[int]) -> str:
    count[0] += 1
    return STRINGS[(count[0] - 1) % len(STRINGS)]
