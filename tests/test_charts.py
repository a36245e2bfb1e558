"""The pictures of the dashboard show the tables' own numbers."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pyarrow as pa
import pytest

from dashboards import charts
from sim import compare, runs
from sim.figures import QUAD_OF

pandas = pytest.importorskip("pandas")

LADDER = "russia.taliban.rung"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return runs.run("takeover-2021", runs=24, seed=5, out=tmp_path_factory.mktemp("charts") / "run")


@pytest.fixture(scope="module")
def data(done):
    return runs.run_data(done)


@pytest.fixture(scope="module")
def one(done):
    return done.one("states", 3)


def series(option, kind=None, name=None):
    """The series of an option, of one kind or name."""
    return [s for s in option["series"] if kind in (None, s["type"]) and name in (None, s.get("name"))]


def plain(option):
    """The option as it goes to the browser; raises where JSON cannot say it."""
    return json.loads(json.dumps(option, allow_nan=False))


def test_the_ladder_shows_the_rungs_of_the_states(data, one):
    rungs = {path: names for path, names in data.ladders.items() if path.endswith(".taliban.rung")}
    names = {path: path.split(".")[0] for path in rungs}
    option = plain(charts.ladder(one, rungs, names, at=2))
    frame = one.to_pandas().set_index("turn")
    cells = {(cell["key"]["turn"], cell["key"]["path"]): cell["value"] for cell in series(option, "heatmap")[0]["data"]}
    assert set(cells) == {(turn, path) for turn in frame.index for path in rungs}
    for (turn, path), (x, y, rung) in cells.items():
        assert x == turn
        assert option["yAxis"]["data"][y] == names[path]
        assert rung == frame.loc[turn, path]
    first = series(option, "heatmap")[0]["data"][0]
    path = first["key"]["path"]
    assert rungs[path][first["value"][2]].replace("_", " ") in first["tip"]
    assert [piece["value"] for piece in option["visualMap"]["pieces"]] == list(range(len(rungs[LADDER])))


def test_bands_show_the_quantiles_of_all_runs_and_the_run_over_them(done, data, one):
    paths = ["engagement_norm", LADDER]
    panels = charts.band_panels(done.quantiles, paths, data.indicators, data.ranges, data.ladders, one, "run 3")
    option = plain(charts.panels(panels, charts.dates_of(one), data.injects))
    states = done.states.to_pandas()
    for n, path in enumerate(paths):
        grouped = states.groupby("turn")[path]
        median, run = (s for s in series(option, "line") if s["xAxisIndex"] == n)
        expected = grouped.quantile(0.5, interpolation="nearest")
        got = [point["value"][1] for point in median["data"]]
        # Of an even number of runs pandas and the figures may take either of the two in the middle.
        low, high = (grouped.quantile(0.5, interpolation=how) for how in ("lower", "higher"))
        assert all(low[t] <= value <= high[t] for t, value in enumerate(got)), expected
        assert [point["value"][1] for point in run["data"]] == states[states.run == 3].sort_values("turn")[
            path
        ].tolist()
        wide, narrow = (s for s in series(option, "custom") if s["xAxisIndex"] == n)
        for band, below, above in ((wide, 0.05, 0.95), (narrow, 0.25, 0.75)):
            for turn, bottom, top in band["data"]:
                values = np.sort(grouped.get_group(turn).to_numpy())
                assert bottom == values[math.ceil(below * len(values)) - 1]
                assert top == values[math.ceil(above * len(values)) - 1]
    assert sum(s.get("markLine") is not None for s in option["series"]) == len(paths)


def test_outcomes_show_shares_and_their_intervals(done):
    summary = done.summary().outcomes
    option = plain(charts.outcomes(summary))
    frame = done.outcomes.to_pandas()
    dots = {dot["key"]: dot["value"][0] for dot in series(option, "scatter")[0]["data"]}
    wanted = [name for name, kind in done.manifest["outcomes"].items() if kind["yes_or_no"]]
    assert set(dots) == set(wanted)
    for name, share in dots.items():
        assert share == pytest.approx(frame[name].mean())
    for row in series(option, "lines")[0]["data"]:
        (low, _), (high, _) = row["coords"]
        assert low <= dots[row["key"]] <= high
        told = summary.to_pandas().set_index("outcome").loc[row["key"]]
        assert (low, high) == (told["low"], told["high"])


def test_acts_are_marked_once_each_in_their_turn_and_lane(done, data):
    acts, events = done.one("acts", 3), done.one("events", 3)
    dates = charts.dates_of(done.one("states", 3))
    option = plain(charts.acts(acts, data.actors, data.actions, dates, data.injects, events))
    frame = acts.to_pandas()
    marks = [(s["name"], mark) for s in series(option, "scatter") if s["name"] != "incident" for mark in s["data"]]
    assert len(marks) == len(frame)
    lanes = option["yAxis"]["data"]
    for quad, mark in marks:
        key, (x, y) = mark["key"], mark["value"]
        rows = frame[(frame.turn == key["turn"]) & (frame.actor == key["actor"]) & (frame.action == key["action"])]
        assert quad in {QUAD_OF[plover.upper()] for plover in rows.plover}
        assert key["turn"] - 0.5 < x < key["turn"] + 0.5
        assert lanes[y] == data.actors[key["actor"]]
    incidents = events.to_pandas().query("kind == 'incident'")
    drawn = series(option, "scatter", "incident")
    assert sum(len(s["data"]) for s in drawn) == len(incidents)


def test_regard_is_drawn_where_it_is_notable(done, data):
    end = done.one("states", 3).to_pandas().sort_values("turn").iloc[-1]
    values = {tuple(p.split(".")[:2]): float(end[p]) for p in done.paths if p.endswith(".regard")}
    option = plain(charts.regard(values, data.actors, notable=0.2))
    links = {(link["source"], link["target"]): link for link in option["series"][0]["links"]}
    assert set(links) == {pair for pair, value in values.items() if abs(value) >= 0.2}
    assert all(link["value"] == values[pair] for pair, link in links.items())
    assert all(link["lineStyle"]["type"] == ("solid" if link["value"] > 0 else "dashed") for link in links.values())


def test_a_comparison_is_shown_as_its_table_has_it(tmp_path):
    found = compare.compare("takeover-2021", runs=20, sets=["actors.russia.rationality=300"], out=tmp_path / "c",
                            figures=False)  # fmt: skip
    rows = [row for row in found.of_kind("number") if row["changed"]]
    option = plain(charts.differences(rows))
    frame = found.differences.to_pandas().set_index("name")
    for dot in series(option, "scatter")[0]["data"]:
        row = frame.loc[dot["key"]]
        assert dot["value"][0] == pytest.approx(row["difference"] / row["a_sd"])
    panels = charts.two_panels(found.bands, ["engagement_norm"], {}, {})
    bands = found.bands.to_pandas().query("path == 'engagement_norm'").sort_values("turn")
    for side, line in zip("AB", panels[0].lines, strict=True):
        rows_of = bands[bands.side == side]
        assert list(line.values) == rows_of.q50.tolist()
        assert [list(bound) for bound in line.bands[0]] == [rows_of.q05.tolist(), rows_of.q95.tolist()]


def test_parts_of_an_option_sum_to_its_utility(done):
    from sim.explain import card

    act = done.one("acts", 3).to_pylist()[0]
    told = card(done.folder, act["actor"], act["turn"], run=3).as_dict()
    options = [one for one in told["options"] if one["available"]][:5]
    rows = [(one["action"], charts.decision_parts(one, act["actor"]), n, "") for n, one in enumerate(options)]
    option = plain(charts.decision_bars(rows))
    sums = [dot["value"][0] for dot in series(option, "scatter")[0]["data"]]
    assert sums == pytest.approx([one["utility"] for one in options], abs=1e-9)
    assert {s["name"] for s in series(option, "bar")} == {"interests", "regard", "credibility", "cost"}
    for n in range(len(options)):
        assert sum(bar["data"][n]["value"] for bar in series(option, "bar")) == pytest.approx(sums[n])


def test_a_heatmap_shows_every_known_cell_and_contours_at_their_height():
    x, y = np.linspace(0, 1, 5), np.linspace(2, 3, 4)
    mean = np.add.outer(np.linspace(0, 0.5, 4), np.linspace(0, 0.5, 5))
    mean[0, 0] = np.nan
    option = plain(charts.heatmap(x, y, mean, "trust", "cost", True, (0.5,)))
    cells = {tuple(cell["value"][:2]): cell["value"][2] for cell in series(option, "heatmap")[0]["data"]}
    assert cells == {(i, j): mean[j, i] for j, i in np.ndindex(mean.shape) if not np.isnan(mean[j, i])}
    for line in series(option, "line"):
        for i, j in line["data"]:  # on a plane, which the contour must follow exactly
            assert i * 0.125 + j * 0.5 / 3 == pytest.approx(0.5)


def test_contours_of_a_single_row_are_none():
    assert charts.contour_lines(np.zeros((1, 5)), 0.5) == []


def test_curves_tornado_and_boxes_hold_their_numbers():
    curve = charts.Response("base", [0.0, 1.0], [0.2, 0.6], [0.1, math.nan], [0.3, math.nan], True, [0.75])
    option = plain(charts.responses([curve], "trust", True))
    assert [p["value"] for p in series(option, "line")[0]["data"]] == [[0.0, 0.2], [1.0, 0.6]]
    assert series(option, "custom")[0]["data"] == [[0.0, 0.1, 0.3]]  # where the interval is known
    assert series(option, "scatter")[0]["data"][0]["value"] == [0.75, 0.5]

    swings = [charts.Swing("trust", "t", 0.1, 0.7, 0.1, 0.8), charts.Swing("policy", "p", 0.2, 0.3, 0.2, 0.4, True)]
    option = plain(charts.tornado(swings, 0.4, True))
    spans = [[end[0] for end in bar["coords"]] for bar in series(option, "lines")[0]["data"]]
    assert spans == [[0.1, 0.8], [0.2, 0.4]]
    assert [dot["value"] for dot in series(option, "scatter")[0]["data"]] == [[0.1, 0], [0.7, 0]]
    assert option["xAxis"]["min"] <= 0.1
    assert option["xAxis"]["max"] >= 0.8

    ranges = [charts.Range(1, "trust", 0.5, math.inf, 0, 2), charts.Range(1, "policy", 0, 0, 0, 2, "abc", (0, 2))]
    inside = series(plain(charts.boxes(ranges)), "lines")[1]["data"]
    parts = [[end[0] for end in part["coords"]] for part in inside]
    assert parts[0] == [0.25, 1.0]
    assert parts[1] == pytest.approx([0, 1 / 3])
    assert parts[2] == pytest.approx([2 / 3, 1])


@pytest.mark.parametrize("dark", [False, True])
def test_scenario_text_stays_text_in_every_picture(dark):
    evil = "<img src=x onerror=alert(1)> {{ 7*7 }} {a|b}"
    states = pa.table({"run": [0, 0], "turn": [0, 1], "date": ["2021-04", "2021-05"], "a.b.rung": [0.0, 1.0]})
    option = plain(charts.ladder(states, {"a.b.rung": ["no", evil]}, {"a.b.rung": evil}, dark=dark, room=400))
    assert option["yAxis"]["data"] == [evil]
    assert any(evil in cell["tip"] for cell in option["series"][0]["data"])
    # Nothing of the option asks ECharts to read text as HTML: tips are made by chart.vue as text nodes.
    assert "formatter" not in option["tooltip"]


def test_dark_and_light_differ_in_colour_only(done, data, one):
    rungs = {LADDER: data.ladders[LADDER]}
    light, dark = (charts.ladder(one, rungs, {LADDER: "Russia"}, dark=on) for on in (False, True))
    values = [[cell["value"] for cell in option["series"][0]["data"]] for option in (light, dark)]
    assert values[0] == values[1]
    assert light["backgroundColor"] != dark["backgroundColor"]


@pytest.mark.parametrize("of", [charts.LIGHT, charts.DARK])
def test_text_and_series_are_legible_on_their_ground(of):
    """Contrast of at least 4.5 for text and, for what is drawn, 2 of the ground (shapes and dashes tell it too)."""
    assert contrast(of.ink, of.paper) >= 7
    assert contrast(of.grey, of.paper) >= 4.5
    for colour in (of.line, of.alarm, *of.quads.values(), *of.sides):
        assert contrast(colour, of.paper) >= 2


def contrast(one, other):
    """Source: WCAG 2.2, relative luminance and contrast ratio."""
    from matplotlib.colors import to_rgb

    def luminance(colour):
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_an_incidents_title_is_completed_by_whom_it_strikes():
    row = {"kind": "incident", "name": "x", "title": "armed men cross into", "actor": "tajikistan"}
    assert charts.event_words(row, {"tajikistan": "The Republic"}) == "Armed men cross into the Republic"


def test_what_a_picture_shows_can_be_had_as_rows(done):
    option = charts.outcomes(done.summary().outcomes)
    rows = charts.rows_of(option)
    assert {row["series"] for row in rows} == {"95% interval", "value"}
    assert sum(row["series"] == "value" for row in rows) == len(option["yAxis"]["data"])


def test_no_text_of_a_csv_is_taken_for_a_formula():
    picture = pytest.importorskip("dashboards.picture")
    table = pa.table({"text": ["=1+1", "@x", "-2.5", "plain, text", None], "number": [1.0, -2.0, 3.0, 4.0, 5.0]})
    back = pandas.read_csv(io.StringIO(picture.as_csv(table)))
    assert back.text.tolist()[:4] == ["'=1+1", "'@x", "-2.5", "plain, text"]
    assert back.number.tolist() == [1.0, -2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("turns", [2, 8, 11, 13, 61])
@pytest.mark.parametrize("marked", [3, 8])
def test_no_date_is_written_where_an_edge_would_cut_it_off(turns, marked):
    axis = charts._time_axis(charts.look(False), [f"turn {n}" for n in range(turns)], marked)
    written = [float(place) for place in axis["axisLabel"]["names"]]
    assert written
    assert min(written) - axis["min"] >= axis["interval"]
    assert axis["max"] - max(written) >= axis["interval"]
