"""Figures say what the tables say, legibly, whatever the names in them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pyarrow as pa
import pytest
import yaml
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection, PolyCollection, QuadMesh
from matplotlib.colors import same_color, to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from sim import analysis, columns, data, figures, register
from sim.errors import BadInput, StorageProblem
from sim.figures import RunData

RUNGS = ["against", "none", "indirect", "contact", "mission", "dealings", "receives", "accredits", "recognition"]
ACTIONS = {
    "talk": ("talks to", "CONSULT"),
    "aid": ("sends aid to", "AID"),
    "criticise": ("criticises", "ACCUSE"),
    "freeze": ("freezes the reserves of", "COERCE"),
    "speak": ("makes a statement", "NONE"),
}
HOSTILE = {
    "alpha": "The $Republic$ of <b>Bold</b> & \\alpha_{x}^2 federated peoples",
    "beta": "b_under_score$",
    "gamma": "x" * 60,
    "delta": "& &amp; <script>alert(1)</script> --> ]]>",
    "hub": "Ünïcödé العربية\n\tMovement $5 to $10",
}


def make(
    actors: int = 4,
    turns: int = 7,
    runs: int = 12,
    acts: float = 1.2,
    titles: dict[str, str] | None = None,
    injects: list[tuple[int, str]] | None = None,
    dates: list[str] | None = None,
    title: str = "A test",
) -> RunData:
    """Tables of invented runs among some actors and a movement, the last of them, whom all the others deal with."""
    random = np.random.default_rng(actors * 1000 + turns * 10 + runs)
    if titles is None:
        titles = {f"state_{n:02d}": f"State {n}" for n in range(actors - 1)} | {"hub": "The Movement"}
    ids = list(titles)
    hub = ids[-1]
    if dates is None:
        dates = [f"{2021 + (4 + t) // 12}-{(4 + t) % 12 + 1:02d}" for t in range(turns)]
    size = (runs, turns + 1)

    def walk(start: float, step: float, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        steps = random.normal(random.normal(0, step / 2), step, size)
        steps[:, 0] = 0
        return np.clip(start + np.cumsum(steps, axis=1), low, high)

    when = {
        "run": np.repeat(np.arange(runs), turns + 1),
        "turn": np.tile(np.arange(turns + 1, dtype=np.int32), runs),
        "date": ["2021-04", *dates] * runs,
    }
    states, ladders, indicators = dict(when), {}, {}
    for name in ("tension", "trade"):
        states[name], indicators[name] = walk(0.5, 0.06).ravel(), name.capitalize()
    states["still"], indicators["still"] = np.full(size, 0.3).ravel(), "Never moves"
    for i, actor in enumerate(ids):
        states[f"{actor}.safety"], indicators[f"{actor}.safety"] = walk(0.6, 0.05).ravel(), "Safety at home"
        if actor != hub:
            climbs = (random.random(size) < 0.2) * random.choice([1, 1, -1], size)
            climbs[:, 0] = i % 4
            states[f"{actor}.hub.rung"] = np.clip(np.cumsum(climbs, axis=1), 0, 8).astype(float).ravel()
            ladders[f"{actor}.hub.rung"], indicators[f"{actor}.hub.rung"] = RUNGS, "Rung of engagement"
        for other in ids:
            if other != actor and (actor, other) != (ids[0], ids[1]):
                states[f"{actor}.{other}.regard"] = walk(random.uniform(-0.7, 0.7), 0.04, -1, 1).ravel()
                indicators[f"{actor}.{other}.regard"] = "Regard"
    done, happened = [], []
    for run in range(runs):
        for turn in range(1, turns + 1):
            for actor in ids:
                for action in random.permutation(list(ACTIONS))[: random.poisson(acts)]:
                    target = None if action == "speak" else hub if actor != hub else ids[0]
                    ok = bool(random.random() < 0.8)
                    plover = ACTIONS[action][1]
                    done.append(
                        (run, turn, dates[turn - 1], actor, str(action), target, 0.8, ok, 0.01, 0.2, "040", plover, 1.0)
                    )
            if random.random() < 0.3:
                happened.append((run, turn, dates[turn - 1], "incident", "raid", ids[0]))
    act_names = ["run", "turn", "date", "actor", "action", "target", "chance", "succeeded", "utility", "probability"]
    act_names += ["cameo", "plover", "goldstein"]
    event_names = ["run", "turn", "date", "kind", "name", "actor"]
    parts = []
    for receiver in ids[:-1]:
        for kind in ("quiet", "amity")[: 1 + (receiver == ids[0])]:
            whole = {name: walk(0.5, 0.05).ravel() for name in ("promised", "reliability", "credibility")}
            who = {"receiver": [receiver], "giver": [hub], "kind": [kind]}
            parts.append(when | {k: v * len(when["run"]) for k, v in who.items()} | whole)
    beliefs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return RunData(
        title=title,
        states=pa.table(states),
        acts=pa.table({name: pa.array([row[n] for row in done]) for n, name in enumerate(act_names)}),
        beliefs=pa.table(beliefs | {"alpha": beliefs["promised"], "beta": beliefs["promised"]}),
        events=pa.table({name: pa.array([row[n] for row in happened]) for n, name in enumerate(event_names)}),
        actors=titles,
        ladders=ladders,
        indicators=indicators,
        injects=[(4, "Kabul falls")] if injects is None else injects,
        actions={name: verb for name, (verb, _) in ACTIONS.items()},
        seed=7,
        assurances={"quiet": "to leave the border alone"},
        incidents={"raid": "armed men cross into"},
    )


@pytest.fixture(scope="module")
def plain() -> RunData:
    return make()


def panels(figure: Figure) -> dict[str, Axes]:
    return {str(axes.get_label()): axes for axes in figure.axes}


def said(figure: Figure) -> list[str]:
    """All that stands in a figure, ticks and annotations too."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def shown(figure: Figure | None) -> Figure:
    assert figure is not None
    return figure


def without(plain: RunData, *parts: str) -> RunData:
    """The same with no ladder, no regard, no indicator, no acts, no incidents or no beliefs."""
    columns = plain.states.column_names
    if "ladders" in parts:
        plain = replace(plain, ladders={})
        columns = [name for name in columns if not name.endswith(".rung")]
    if "regard" in parts:
        columns = [name for name in columns if not name.endswith(".regard")]
    if "indicators" in parts:
        columns = [name for name in columns if name not in ("tension", "trade") and not name.endswith(".safety")]
    plain = replace(plain, states=plain.states.select(columns))
    for name in ("acts", "events", "beliefs"):
        if name in parts:
            plain = replace(plain, **{name: getattr(plain, name).slice(0, 0)})
    return plain


# ----------------------------------------------------------------------------------------------------------- the folder


def test_each_figure_is_written_as_png_and_svg(plain: RunData, tmp_path: Path) -> None:
    written = figures.draw_run(plain, tmp_path / "new" / "figures")
    stems = ["ladder", "acts-run-0", "indicators", "credibility", "regard"]
    assert [path.name for path in written] == [f"{stem}.{form}" for stem in stems for form in ("png", "svg")]
    assert sorted(written) == sorted((tmp_path / "new" / "figures").iterdir())
    for path in written:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")
        else:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("lacking", "figure"),
    [("ladders", "ladder"), ("regard", "regard"), ("indicators", "indicators"), ("beliefs", "credibility")],
)
def test_what_a_scenario_lacks_is_left_out(plain: RunData, lacking: str, figure: str) -> None:
    names = {name for name, _ in figures.figures_of(plain)}
    assert {name for name, _ in figures.figures_of(without(plain, lacking))} == names - {figure}


def test_nothing_is_written_where_there_is_nothing_to_show(plain: RunData, tmp_path: Path) -> None:
    empty = without(plain, "ladders", "regard", "indicators", "beliefs", "acts", "events")
    assert figures.draw_run(empty, tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    plain = make(actors=3, runs=3, turns=3, injects=[(2, "Kabul falls")])
    first = figures.draw_run(plain, tmp_path / "a")
    with matplotlib.rc_context({"font.size": 31, "axes.grid": True, "svg.hashsalt": None, "lines.linewidth": 9}):
        second = figures.draw_run(plain, tmp_path / "b")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    assert b"<dc:date>" not in (tmp_path / "a" / "ladder.svg").read_bytes()


def test_drawing_leaves_no_state_behind(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    figures.draw_run(make(actors=3, runs=2, turns=2), tmp_path)
    assert dict(matplotlib.rcParams) == before
    check = "import sys, sim.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_each_run_asked_for_has_its_acts_drawn(plain: RunData) -> None:
    names = [name for name, _ in figures.figures_of(plain, [3, 5])]
    assert [name for name in names if name.startswith("acts")] == ["acts-run-3", "acts-run-5"]


def test_a_run_that_is_not_there_is_refused_by_name(plain: RunData, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="run 12: not in the tables, which hold runs 0 to 11"):
        figures.draw_run(plain, tmp_path, runs_shown=12)


def test_a_folder_that_cannot_be_written_is_a_storage_problem(plain: RunData, tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("a file")
    with pytest.raises(StorageProblem, match="taken"):
        figures.draw_run(plain, place)


# ------------------------------------------------------------------------------------------------------ what they hold


def expected_bands(plain: RunData, path: str) -> np.ndarray:
    """(5, T + 1) straight from the table."""
    table = plain.states.to_pandas()
    return np.array([analysis.quantiles(group[path].to_numpy()) for _, group in table.groupby("turn")]).T


def drawn_bands(axes: Axes) -> dict[str, np.ndarray]:
    """The lowest and highest of each tinted area, and the line."""
    out = {"median": np.asarray(axes.lines[0].get_ydata())}
    for area in axes.collections:
        if isinstance(area, PolyCollection):
            name = to_hex(area.get_facecolor()[0])
            points = np.concatenate([path.vertices for path in area.get_paths()])
            places = np.unique(points[:, 0])
            out[name] = np.array(
                [[points[points[:, 0] == x, 1].min(), points[points[:, 0] == x, 1].max()] for x in places]
            )
    return out


def test_indicator_bands_are_the_quantiles_of_the_table(plain: RunData) -> None:
    for path, axes in panels(shown(figures.draw_indicators(plain))).items():
        wanted, drawn = expected_bands(plain, path), drawn_bands(axes)
        np.testing.assert_allclose(drawn["median"], wanted[2])
        np.testing.assert_allclose(drawn[figures.BAND_90], wanted[[0, 4]].T)
        np.testing.assert_allclose(drawn[figures.BAND_50], wanted[[1, 3]].T)


def test_ladder_steps_are_the_quantiles_of_the_table(plain: RunData) -> None:
    for path, axes in panels(shown(figures.draw_ladder(plain, "rung"))).items():
        wanted, drawn = expected_bands(plain, path), drawn_bands(axes)
        np.testing.assert_array_equal(drawn["median"][:-1], wanted[2])
        assert drawn["median"][-1] == wanted[2, -1]
        assert axes.lines[0].get_drawstyle() == "steps-post"
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), np.arange(9) - 0.5)
        if figures.BAND_90 in drawn:
            assert drawn[figures.BAND_90].max() == wanted[4].max()


def test_bands_pass_over_what_is_missing() -> None:
    values = np.array([[1.0, np.nan, np.nan], [2.0, 5.0, np.nan], [3.0, 7.0, np.nan]])
    spread = figures.bands(values)
    assert spread[:, 0].tolist() == [1, 1, 2, 3, 3]
    assert spread[:, 1].tolist() == [5, 5, 5, 7, 7]
    assert np.isnan(spread[:, 2]).all()


def test_the_order_of_rows_does_not_matter() -> None:
    plain = make(actors=3, runs=3, turns=3)
    mixed = np.random.default_rng(1).permutation(plain.states.num_rows)
    beliefs = np.random.default_rng(1).permutation(plain.beliefs.num_rows)
    other = replace(plain, states=plain.states.take(mixed), beliefs=plain.beliefs.take(beliefs))
    for (name, one), (_, two) in zip(figures.figures_of(plain), figures.figures_of(other), strict=True):
        assert figures.render(one, "svg") == figures.render(two, "svg"), name


def test_the_ladder_has_a_panel_for_each_actor_and_names_the_rungs(plain: RunData) -> None:
    figure = shown(figures.draw_ladder(plain, "rung"))
    assert list(panels(figure)) == ["state_00.hub.rung", "state_01.hub.rung", "state_02.hub.rung"]
    words = said(figure)
    assert {"State 0", "State 1", "State 2", *RUNGS} <= set(words)
    assert "Rung of engagement" in words
    assert any("towards the Movement" in line for line in words)


def test_a_ladder_of_two_rungs_shows_the_share_of_the_runs(plain: RunData) -> None:
    open_now = (plain.states["tension"].to_numpy() > 0.5).astype(float)
    states = plain.states
    for actor in ("state_00", "state_01"):
        states = states.append_column(f"{actor}.hub.embassy", pa.array(open_now))
    two = {f"{actor}.hub.embassy": ["closed", "open_now"] for actor in ("state_00", "state_01")}
    embassies = replace(plain, states=states, ladders=plain.ladders | two)
    assert figures.ladder_groups(embassies) == [["rung"], ["embassy"]]
    assert "ladder-embassy" in {name for name, _ in figures.figures_of(embassies)}
    figure = shown(figures.draw_ladder(embassies, "embassy"))
    share = open_now.reshape(12, 8).mean(axis=0)
    line = panels(figure)["state_00.hub.embassy"].lines[0]
    np.testing.assert_allclose(line.get_ydata()[:-1], share)
    assert f"open now: {share[-1]:.0%}" in said(figure)


def test_ladders_that_only_one_has_share_a_figure_and_are_drawn_if_they_move(plain: RunData) -> None:
    falls = (plain.states["turn"].to_numpy() >= 4).astype(float)
    states = plain.states.append_column("capital", pa.array(falls)).append_column("never", pa.array(falls * 0))
    ladders = plain.ladders | {"capital": ["stands", "fallen"], "never": ["a", "b", "c"]}
    more = replace(plain, states=states, ladders=ladders)
    assert figures.ladder_groups(more) == [["rung"], ["capital", "never"]]
    assert list(panels(shown(figures.draw_ladder(more, "capital", "never")))) == ["capital"]
    assert figures.draw_ladder(more, "never") is None


def test_one_run_alone_has_no_bands() -> None:
    alone = make(runs=1)
    for figure in (figures.draw_ladder(alone, "rung"), figures.draw_indicators(alone), figures.draw_credibility(alone)):
        for axes in panels(shown(figure)).values():
            assert list(drawn_bands(axes)) == ["median"]
        assert not any("50%" in line for line in said(shown(figure)))


def test_credibility_has_a_panel_for_each_promise_and_receiver(plain: RunData) -> None:
    figure = shown(figures.draw_credibility(plain))
    found = panels(figure)
    assert set(found) == {"state_00.hub.quiet", "state_00.hub.amity", "state_01.hub.quiet", "state_02.hub.quiet"}
    words = said(figure)
    assert "Promised by the Movement: to leave the border alone" in words
    assert "Promised by the Movement: amity" in words
    table = plain.beliefs.to_pandas()
    for name, axes in found.items():
        receiver, _, kind = name.split(".")
        rows = table[(table.receiver == receiver) & (table.kind == kind)]
        for line, column in zip(axes.lines[:3], ("credibility", "promised", "reliability"), strict=True):
            medians = [analysis.quantiles(group[column].to_numpy())[2] for _, group in rows.groupby("turn")]
            np.testing.assert_allclose(line.get_ydata(), medians)
        dashes = {str(line._unscaled_dash_pattern) for line in axes.lines[:3]}
        assert len(dashes) == 3, "told apart by more than colour"


def test_regard_is_the_median_of_the_runs_at_start_and_end(plain: RunData) -> None:
    figure = shown(figures.draw_regard(plain))
    table = plain.states.to_pandas()
    names = list(plain.actors)
    for label, turn in (("regard-start", 0), ("regard-end", 7)):
        mesh = next(c for c in panels(figure)[label].collections if isinstance(c, QuadMesh))
        values = np.ma.filled(mesh.get_array(), np.nan).reshape(4, 4)
        for (r, row), (c, column) in [(a, b) for a in enumerate(names) for b in enumerate(names)]:
            path = f"{row}.{column}.regard"
            if path in table:
                wanted = analysis.quantiles(table.loc[table.turn == turn, path].to_numpy())[2]
                assert values[r, c] == pytest.approx(wanted)
            else:
                assert np.isnan(values[r, c])


def test_changes_of_regard_are_written_and_the_large_ones_framed(plain: RunData) -> None:
    column = np.where(plain.states["turn"].to_numpy() == 7, 0.75, 0.5)
    states = plain.states.set_column(
        plain.states.column_names.index("state_00.hub.regard"), "state_00.hub.regard", pa.array(column)
    )
    axes = panels(shown(figures.draw_regard(replace(plain, states=states))))["regard-end"]
    changed = next(text for text in axes.texts if text.get_text() == "+.25")
    assert changed.get_weight() == "bold"
    assert changed.get_position()[0] == 3.5
    assert any(patch.get_xy() == (3.06, 0.06) for patch in axes.patches)


# ----------------------------------------------------------------------------------------------------------------- acts


def marks(figure: Figure) -> Iterator[tuple[PathCollection, np.ndarray]]:
    for collection in panels(figure)["lanes"].collections:
        if isinstance(collection, PathCollection):
            yield collection, np.asarray(collection.get_offsets())


def test_every_act_and_incident_of_the_run_has_a_mark(plain: RunData) -> None:
    for run in range(3):
        figure = shown(figures.draw_acts(plain, run))
        acts = plain.acts.to_pandas().query("run == @run")
        incidents = plain.events.to_pandas().query("run == @run")
        turns = np.concatenate([np.ceil(offsets[:, 0] - 0.5) for _, offsets in marks(figure)])
        wanted = np.concatenate([acts["turn"], incidents["turn"]])
        assert sorted(turns.astype(int)) == sorted(wanted)


def test_failed_acts_are_hollow(plain: RunData) -> None:
    figure = shown(figures.draw_acts(plain, 0))
    hollow = sum(len(offsets) for c, offsets in marks(figure) if same_color(c.get_facecolor()[0], figures.PAPER))
    failed = int((~plain.acts.to_pandas().query("run == 0").succeeded).sum())
    assert failed > 0
    assert hollow == failed
    assert f"hollow: failed ({failed})" in said(figure)


def test_quads_differ_in_colour_and_shape_and_are_counted(plain: RunData) -> None:
    shapes, colours = zip(*figures.QUAD_MARK.values(), strict=True)
    assert len(set(shapes)) == len(set(colours)) == 5
    quads = plain.acts.to_pandas().query("run == 0").plover.map(figures.QUAD_OF).value_counts()
    assert {f"{quad} ({count})" for quad, count in quads.items()} <= set(said(shown(figures.draw_acts(plain, 0))))


def test_every_plover_type_has_a_quad() -> None:
    codes = yaml.safe_load((data.seeds() / "codes.yaml").read_text())["codes"]
    assert {code["plover"] or "NONE" for code in codes} <= set(figures.QUAD_OF)


def test_words_name_act_and_target_and_an_incident_whom_it_strikes(plain: RunData) -> None:
    struck = plain.events["run"][0].as_py()
    words = set(said(shown(figures.draw_acts(plain, struck))))
    assert {"talks to", "criticises", "makes a statement", "armed men cross into State 0"} <= words
    assert any("Where a target is left unsaid, it is the Movement." in line for line in words)
    assert {"State 0", "The Movement"} <= words


def test_over_many_turns_each_kind_of_act_is_a_row_with_its_words() -> None:
    long = make(turns=41)
    figure = shown(figures.draw_acts(long, 0))
    acts = long.acts.to_pandas().query("run == 0")
    words = said(figure)
    for actor, action in set(zip(acts.actor, acts.action, strict=True)):
        target = "" if action == "speak" or actor != "hub" else " State 0"
        assert f"{ACTIONS[action][0]}{target}" in words
    rows = {round(float(y), 3) for _, offsets in marks(figure) for y in offsets[:, 1]}
    kinds = len(set(zip(acts.actor, acts.action, strict=True))) + 1  # the raids on the first state
    assert len(rows) == kinds


def test_several_of_a_kind_in_one_turn_are_counted() -> None:
    long = make(turns=20)
    twice = long.acts.filter(pa.array(long.acts["run"].to_numpy() == 0)).slice(0, 1)
    other = replace(long, acts=pa.concat_tables([twice, twice, twice]), events=long.events.slice(0, 0))
    figure = shown(figures.draw_acts(other, 0))
    assert sum(len(offsets) for _, offsets in marks(figure)) == 1
    assert "3" in [text.get_text() for text in panels(figure)["lanes"].texts]


def test_who_does_nothing_is_named_and_has_no_lane(plain: RunData) -> None:
    acts = plain.acts.filter(pa.array(np.asarray(plain.acts["actor"].to_pylist()) != "state_02"))
    words = said(shown(figures.draw_acts(replace(plain, acts=acts), 0)))
    assert "No act or incident: State 2." in words
    assert "State 2" not in words


# ---------------------------------------------------------------------------------------------------- time and injects


def test_injects_stand_at_the_start_of_their_turn_and_are_keyed_below(plain: RunData) -> None:
    two = replace(plain, injects=[(6, "Second"), (4, "Kabul falls"), (99, "After the horizon")])
    made = [figures.draw_ladder(two, "rung"), figures.draw_indicators(two), figures.draw_credibility(two)]
    for figure in [*made, figures.draw_acts(two, 0)]:
        words = said(shown(figure))
        assert {"Aug 2021: Kabul falls", "Oct 2021: Second", "A", "B"} <= set(words)
        assert not any("After the horizon" in word for word in words)
        for axes in panels(shown(figure)).values():
            upright = [line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1]
            assert upright == [3.5, 5.5]


@pytest.mark.parametrize(
    ("dates", "room", "wanted"),
    [
        (["2021-05", "2021-06", "2021-07"], 3.0, ["May 2021", "Jun", "Jul"]),
        (["2021-11", "2021-12", "2022-01"], 3.0, ["Nov 2021", "Dec", "Jan 2022"]),
        (["2021-11", "2022-02", "2022-05"], 3.0, ["Nov 2021", "Feb 2022", "May"]),
        (["2021", "2022", "2023"], 3.0, ["2021", "2022", "2023"]),
        (["2021-12-27", "2022-01-03"], 3.0, ["27 Dec 2021", "3 Jan 2022"]),
        (["spring", "summer"], 3.0, ["spring", "summer"]),
        ([f"{2022 + (7 + t) // 12}-{(7 + t) % 12 + 1:02d}" for t in range(41)], 1.6, ["2023", "2024", "2025"]),
        (
            [f"{2020 + (4 + t) // 12}-{(4 + t) % 12 + 1:02d}" for t in range(12)],
            1.6,
            ["Jul 2020", "Oct", "Jan 2021", "Apr"],
        ),
    ],
)
def test_turns_are_labelled_as_a_reader_says_them(dates: list[str], room: float, wanted: list[str]) -> None:
    ticks = figures._date_ticks(dict(enumerate(dates, start=1)), len(dates), room)
    assert [" ".join(label.split()) for _, label in ticks] == wanted


# -------------------------------------------------------------------------------------------------- legible in any case


def check_layout(figure: Figure) -> None:
    """No text leaves the page, and none that is upright lies on another."""
    canvas = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    page = figure.bbox
    boxes = []
    for text in figure.findobj(Text):
        if not text.get_text().strip() or not text.get_visible():
            continue
        box = text.get_window_extent(renderer)
        assert box.x0 >= page.x0 - 1, text.get_text()
        assert box.x1 <= page.x1 + 1, text.get_text()
        assert box.y0 >= page.y0 - 1, text.get_text()
        assert box.y1 <= page.y1 + 1, text.get_text()
        if text.get_rotation() == 0:
            boxes.append((text.get_text(), box))
    for (one, a), (other, b) in combinations(boxes, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        tall = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 1.5 or tall <= 3, f"{one!r} lies on {other!r}"


LONG_INJECTS = [(3 * n + 1, f"Event number {n} of a long list, with a title that goes on") for n in range(12)]


@pytest.mark.parametrize(
    "run_data",
    [
        pytest.param(lambda: make(actors=3, runs=3), id="three actors, seven turns"),
        pytest.param(lambda: make(actors=15, runs=2, acts=2.5), id="fifteen actors, seven turns"),
        pytest.param(lambda: make(actors=15, turns=41, runs=2, injects=LONG_INJECTS), id="fifteen actors, 41 turns"),
        pytest.param(lambda: make(actors=22, turns=12, runs=2), id="twenty-two actors, a year"),
        pytest.param(lambda: make(runs=2, titles=HOSTILE, title="$" * 90 + " <i>" * 30), id="hostile names"),
        pytest.param(lambda: make(turns=1, runs=1, injects=[(1, "At once")]), id="one turn, one run"),
    ],
)
def test_no_words_leave_the_page_or_lie_on_others(run_data: object) -> None:
    for _, figure in figures.figures_of(run_data()):  # type: ignore[operator]
        check_layout(figure)


def test_hostile_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    hostile = make(
        runs=2, titles=HOSTILE, title="Cost $5 & <i>$\\frac{1}{2$", injects=[(2, "$\\frac{1}{2$ <b> & \x07")]
    )
    for path in figures.draw_run(hostile, tmp_path):
        if path.suffix == ".svg":
            ElementTree.parse(path)
    for name, figure in figures.figures_of(hostile):
        words = said(figure)
        assert any("Cost $5 & <i>$\\frac{1}{2$" in word for word in words), name
        assert any(word.startswith("b_under_score$") for word in words) or name == "indicators"
        assert not any(text.get_parse_math() for text in figure.findobj(Text) if text.get_text()), name
        if name != "regard":
            assert "Jun 2021: $\\frac{1}{2$ <b> &" in words


def test_what_does_not_fit_is_left_out_and_said_so() -> None:
    many = make(actors=30, turns=4, runs=2, acts=2)
    made = dict(figures.figures_of(many))
    assert len(made["ladder"].axes) == figures.LADDER_PANELS
    assert len(made["indicators"].axes) == figures.INDICATOR_PANELS
    wanted = {
        "ladder": "Left out: 9 more panels, whose rungs move and differ less.",
        "indicators": "Left out of the world's and the actors' indicators: 16 more that move less"
        " and 1 that never moves.",
        "regard": "Left out: 10 more actors, whose regards change less.",
    }
    for name, note in wanted.items():
        assert note in said(made[name])
    assert any("more actors, who do less than those shown" in line for line in said(made["acts-run-0"]))


def test_the_source_line_names_scenario_runs_and_seed(plain: RunData) -> None:
    for name, figure in figures.figures_of(plain):
        runs = "run 0 of 12" if name == "acts-run-0" else "12 runs"
        assert f"Source: Tightrope, “A test”, {runs}, seed 7." in said(figure)
    unseeded = shown(figures.draw_indicators(replace(plain, seed=None)))
    assert "Source: Tightrope, “A test”, 12 runs." in said(unseeded)


def test_main_indicators_prefer_what_moves_for_good_to_what_flickers() -> None:
    runs, turns = 6, 7
    plain = make(actors=24, runs=runs, turns=turns)
    grows = np.tile(np.linspace(0.2, 0.6, turns + 1), runs)
    flickers = np.tile(np.arange(turns + 1) % 2 * 0.6, runs)
    states = plain.states.append_column("state_00.grows", pa.array(grows))
    states = states.append_column("state_00.flickers", pa.array(flickers))
    found = panels(shown(figures.draw_indicators(replace(plain, states=states))))
    assert "state_00.grows" in found
    assert "still" not in found
    order = figures._States(states)
    assert figures._steadiness(order.values("state_00.grows")) == pytest.approx(1)
    assert figures._steadiness(order.values("state_00.flickers")) == pytest.approx(1 / 7)


def test_main_indicators_are_those_that_the_actors_care_for() -> None:
    runs, turns = 6, 7
    plain = make(actors=24, runs=runs, turns=turns)
    states = plain.states.append_column("state_00.hardly", pa.array(np.tile(np.linspace(0.5, 0.501, turns + 1), runs)))
    states = states.append_column("heeded", pa.array(np.tile(np.linspace(0.5, 0.501, turns + 1), runs)))
    states = states.append_column("state_00.word", pa.array(np.tile(np.linspace(0.0, 1.0, turns + 1), runs)))
    some = replace(plain, states=states, weights={"heeded": 0.9, "state_00.hardly": 0.4, "state_00.word": 0.0})
    assert next(iter(panels(shown(figures.draw_indicators(some))))) == "heeded"
    assert figures._main(["state_00.hardly", "idle", "heeded"], some.weights) == ["heeded", "state_00.hardly", "idle"]
    assert "state_00.hardly" in panels(shown(figures.draw_indicators(some)))
    assert figures._main(["state_00.hardly", "idle", "heeded"], {}) == ["idle", "heeded", "state_00.hardly"]


def test_no_words_of_acts_are_cut_where_the_rows_have_room() -> None:
    crowded = make(actors=4, acts=3)
    long = {"freeze": "freezes for an indefinite time all reserves of", "talk": "talks at great length with"}
    figure = shown(figures.draw_acts(replace(crowded, actions=crowded.actions | long), 0))
    words = [text for text in said(figure) if not text.startswith("other: ")]
    assert not any("…" in text for text in words)
    assert any(text.startswith("A lane for each actor, a row for each kind of act") for text in words)
    assert {"freezes for an indefinite time all reserves of", "talks at great length with"} <= set(words)


def test_a_target_is_named_unless_it_is_the_commonest(plain: RunData) -> None:
    _, _, common = figures._marks(plain, 0)
    assert common == "the Movement"
    marks = {name: figures._marks(plain, 0)[0][name] for name in ("hub", "state_00")}
    assert {mark.target for mark in marks["hub"]} <= {"State 0", ""}
    row = [figures._Mark(1, "talks to", target, "o", figures.BLUE, True, 1.0) for target in ("", "State 0")]
    assert figures._lane_by_kind(row, 3, common).labels == [("talks to", "the Movement, State 0")]


# --------------------------------------------------------------------------------------------------------- the promises


def promised(run_data: RunData, rows: list[dict]) -> RunData:
    """The same with these promises: giver, receiver, kind, status, given, settled; an act and when it is due."""
    names = ("giver", "receiver", "kind", "status", "given_turn", "settled_turn", "action", "due_turn")
    made = [
        dict(zip(names, (*row, None, None)[:8], strict=True)) | {"run": 0, "promise": n} for n, row in enumerate(rows)
    ]
    return replace(run_data, promises=columns.rows(made, register.PROMISES))


WORDS = [
    ("hub", "alpha", "borders", "kept", 0, 4),
    ("hub", "alpha", "borders", "broken", 4, 6),
    ("hub", "beta", "borders", "pending", 2, None),
    ("alpha", "hub", "faith", "void", 1, 3, "aid", 3),
]


def test_each_promise_is_a_bar_of_its_status_from_when_it_was_given(plain: RunData) -> None:
    figure = shown(figures.draw_promises(promised(plain, WORDS), 0))
    (axes,) = figure.axes
    bars = [line for line in axes.lines if line.get_linewidth() == 2.4]
    found = {(tuple(line.get_xdata()), to_hex(line.get_color())) for line in bars}
    turns = 7
    assert found == {
        ((0, 4), figures.GREEN), ((4, 6), figures.VERMILLION), ((2, turns + 0.5), figures.BLUE), ((1, 3), "#8a8a8a"),
    }  # fmt: skip
    rows = {line.get_ydata()[0] for line in bars}
    assert len(rows) == 3  # what was promised again stands in the row of the first
    words = said(figure)
    assert {"kept (1)", "broken (1)", "void (1)", "pending (1)"} <= set(words)
    assert any("sends aid to" in word for word in words)
    check_layout(figure)


def test_without_promises_there_is_no_such_figure(plain: RunData) -> None:
    assert figures.draw_promises(plain, 0) is None
    assert figures.draw_promises(promised(plain, []), 0) is None
    assert figures.draw_promises(promised(plain, WORDS), 1) is None


def test_more_promises_than_fit_are_counted(plain: RunData) -> None:
    many = [("hub", f"state{n:03}", "borders", "kept", 0, 4) for n in range(figures.PROMISE_ROWS + 12)]
    figure = shown(figures.draw_promises(promised(plain, many), 0))
    assert any("Left out: 12 more promises." in word for word in said(figure))
    check_layout(figure)


def test_promises_between_hostile_names_stay_on_the_page() -> None:
    hostile = make(runs=1, titles=HOSTILE, turns=2)
    check_layout(shown(figures.draw_promises(promised(hostile, [row for row in WORDS if row[4] < 2]), 0)))
