"""Who stands where on the map, for any scenario."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("solara")

from dashboards import map as region
from dashboards.map import Act, Level

ACTORS = {
    "taliban": "the Taliban",
    "russia": "Russia",
    "united_states": "United States",
    "x1": "Republic of Kazakhstan",
    "moscow": "Kremlin",
    "kg": "somebody",
}


def test_outlines_are_small_and_name_their_source():
    assert region.GEO.stat().st_size < 80_000
    assert "Natural Earth" in region.geo()["attribution"]
    assert len(region.geo()["countries"]) > 40


@pytest.mark.parametrize(
    ("name", "title", "country"),
    [
        ("taliban", "the Taliban", "Afghanistan"),
        ("a7", "The Russian Federation", "Russia"),
        ("beijing", "", "China"),
        ("turkiye", "Türkiye", "Turkey"),
        ("TJ", "", "Tajikistan"),
        ("united_states", "United States", None),
        ("daesh", "Islamic State Khorasan", None),
    ],
)
def test_an_actor_stands_on_the_country_that_it_is_named_after(name, title, country):
    found = region.places({name: title})
    assert (found[name].name if name in found else None) == country


def test_a_country_stands_for_one_actor_and_the_rest_stand_beside():
    scene = region.scene(ACTORS, {})
    on = {one["id"]: one["country"] for one in scene["actors"]}
    assert on["russia"] == "Russia"
    assert on["moscow"] is None  # Russia is taken
    assert on["kg"] == "Kyrgyzstan"
    assert on["united_states"] is None
    assert set(on) == set(ACTORS)


def test_two_hundred_actors_without_a_country_all_stand_apart():
    scene = region.scene({f"actor_{n}": f"Actor {n}" for n in range(200)}, {})
    places = {(one["x"], one["y"]) for one in scene["actors"]}
    assert len(places) == 200
    assert all(one["y"] + region.CHIP <= scene["tall"] for one in scene["actors"])
    legend = (scene["height"], scene["height"] + region.LEGEND)
    assert not any(legend[0] - region.CHIP < y < legend[1] for _, y in places)


def test_levels_shade_and_are_told_in_words():
    levels = region.ladder_levels(
        {"russia.taliban.rung": 2.0}, {"russia.taliban.rung": ["none", "in_touch", "mission"]}
    )
    assert levels == {"russia": Level(1.0, "mission")}
    scene = region.scene(ACTORS, levels | {"taliban": Level(0.0, "none")}, legend=["none", "in touch", "mission"])
    of = {one["id"]: one for one in scene["actors"]}
    assert of["russia"]["fill"] == scene["legend"][-1]["fill"]
    assert of["taliban"]["fill"] == scene["legend"][0]["fill"]
    assert of["russia"]["told"] == "Russia: mission"


def test_every_act_is_an_arrow_or_a_mark_with_its_key():
    acts = [
        Act("russia", "taliban", "verbal cooperation", "Russia hints", {"n": 1}),
        Act("russia", "taliban", "material conflict", "Russia threatens", {"n": 2}, done=False),
        Act("taliban", None, "neutral", "The Taliban wait", {"n": 3}),
        Act("united_states", "taliban", "material cooperation", "The United States give", {"n": 4}),
        Act("ghost", "taliban", "neutral", "nobody there", {"n": 5}),
    ]
    arrows = region.scene(ACTORS, {}, acts)["arrows"]
    assert [arrow["key"]["n"] for arrow in arrows] == [1, 2, 3, 4]
    assert arrows[0]["path"] != arrows[1]["path"]  # bent apart
    assert arrows[2]["path"] is None
    assert arrows[1]["fill"] != arrows[1]["colour"]  # in vain: hollow
    assert {arrow["dash"] for arrow in arrows[:2]} == {"5 3", "none"}
    assert len({arrow["mark"] for arrow in arrows}) == 4


def test_a_scene_is_plain_data_whatever_names_are():
    evil = "<script>alert(1)</script>{{ x }}"
    scene = region.scene({"a": evil}, {"a": Level(0.5, evil)}, [Act("a", None, "neutral", evil, None)])
    assert json.loads(json.dumps(scene, allow_nan=False))["actors"][0]["title"] == evil
    assert region.table_of(scene).num_rows == 2
