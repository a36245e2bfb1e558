"""The map in a real browser: whoever stands on or beside it and what is done can be clicked, by mouse and keyboard."""

from __future__ import annotations

import pandas

MAP = ".tightrope-map"


def test_actors_and_acts_are_on_the_map_and_lead_to_decisions(visitor, folder):
    page = visitor.open("/watch?run=minimal-1&turn=3", f"{MAP} .actor")
    acts = pandas.read_parquet(folder / "minimal-1" / "acts.parquet").query("run == 0 and turn == 3")
    assert page.locator(f"{MAP} .act").count() == len(acts)
    assert page.locator(f"{MAP} .actor").count() == 3  # none is a country of the region: all stand beside it
    assert "Natural Earth" in page.locator(MAP).text_content()
    page.locator(f"{MAP} .act").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/why?**")
    asked = dict(pair.split("=") for pair in page.url.split("?")[1].split("&"))
    assert ((acts.actor == asked["actor"]) & (acts.action == asked["action"])).any()
    page = visitor.open("/watch?run=minimal-1&turn=3", f"{MAP} .actor rect")
    page.locator(f"{MAP} .actor rect").first.click()
    page.wait_for_url("**/why?**")


def test_hostile_names_on_the_map_are_text(visitor):
    page = visitor.open("/watch?run=hostile-1&turn=3", f"{MAP} .actor")
    assert page.evaluate("window.hacked") is None
    assert page.locator(f"{MAP} script, {MAP} image, {MAP} foreignObject").count() == 0
    assert page.locator(f"{MAP} .actor title").first.text_content().strip()


def test_the_land_takes_the_colours_of_the_theme_whenever_it_changes(visitor):
    page = visitor.open("/watch?scenario=minimal&turn=1", f"{MAP} .land path")
    grey = "([r, g, b]) => (+r + +g + +b) / 3"
    shade = f"({grey})(getComputedStyle(document.querySelector('{MAP} .land path')).fill.match(/\\d+/g))"
    assert page.evaluate(shade) > 200
    page.get_by_role("button", name="Dark colours").click()
    page.wait_for_function(f"() => {shade} < 80")
    page.get_by_role("button", name="Light colours").click()
    page.wait_for_function(f"() => {shade} > 200")
