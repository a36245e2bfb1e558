"""A scenario with a hostile string in every text field."""

from __future__ import annotations

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
BLOCKS = ("actors", "actions", "incidents", "assurances", "outcomes", "indicators", "timeline")


def scenario() -> str:
    """The tutorial, with each of its texts, and titles where it has none, a hostile string: each string in some."""
    raw = as_data(read("minimal").scenario)
    raw["timeline"] = [
        {"date": "2030-03", "title": "x", "add": {"raiders": 0.1}},
        {"date": "2030-04", "title": "x", "act": {"by": "alba", "action": "talk", "target": "front"}},
    ]
    for block in BLOCKS:
        for part in raw[block] if isinstance(raw[block], list) else raw[block].values():
            part["title"] = "x"
    count = [0]

    def worn(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: _next(count) if key in TEXTS and isinstance(value, str) else worn(value)
                    for key, value in part.items()}  # fmt: skip
        return [worn(one) for one in part] if isinstance(part, list) else part

    said = worn(raw)
    assert count[0] >= len(STRINGS), "each string is used"
    return dump(said)


def _next(count: list[int]) -> str:
    count[0] += 1
    return STRINGS[(count[0] - 1) % len(STRINGS)]
