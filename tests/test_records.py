"""History becomes tables: what each row and answer says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import records, store
from sim.arrays import Acts, Compiled, History, Talks
from sim.kernel import ensemble, joined
from sim.records import Bands, Legend, Question, Totals


def history_of(states, acts=(), incidents=None) -> History:
    """A history with these states (runs, turns + 1, slots) and acts (run, turn, option)."""
    states = np.asarray(states, dtype=np.float64)
    count, turns = states.shape[0], states.shape[1] - 1
    columns = np.array(acts, dtype=np.int64).reshape(-1, 3)
    nothing = np.empty((count, turns + 1, 0))
    return History(
        runs=np.arange(count),
        states=states,
        alpha=nothing,
        beta=nothing,
        incidents=np.zeros((count, turns, 0), dtype=np.bool_)
        if incidents is None
        else np.asarray(incidents, dtype=np.bool_),
        acts=Acts(
            run=columns[:, 0],
            turn=columns[:, 1].astype(np.int32),
            option=columns[:, 2].astype(np.int32),
            chance=np.ones(len(columns)),
            succeeded=np.ones(len(columns), dtype=np.bool_),
            utility=np.zeros(len(columns)),
            probability=np.ones(len(columns)),
        ),
        talks=Talks(*(np.empty(0, dtype=np.int64),) * 5, *(np.empty(0),) * 3),
    )


def legend_of(turns: int) -> Legend:
    return Legend(dates=[f"d{turn}" for turn in range(turns + 1)])


def answers(history: History, question: Question) -> dict[str, list]:
    return records.outcomes(history, [question], legend_of(history.states.shape[1] - 1)).to_pydict()


@pytest.fixture(scope="module")
def history(minimal: Compiled) -> History:
    return ensemble(minimal, 5, range(40))


def test_states_are_the_history_and_turn_0_is_the_start(minimal: Compiled, history: History):
    table = records.states(history, minimal, legend_of(12))
    assert table.num_rows == 40 * 13
    assert table["turn"].to_pylist()[:14] == [*range(13), 0]
    assert table["date"].to_pylist()[:2] == ["d0", "d1"]
    for s, path in enumerate(minimal.paths):
        assert table[path].to_numpy().tobytes() == history.states[:, :, s].tobytes()
    start = minimal.tables.start[minimal.paths.index("raiders")]
    assert table["raiders"][0].as_py() == start


def test_tables_of_batches_are_the_table_of_the_whole(minimal: Compiled, history: History):
    legend = legend_of(12)
    questions = [Question("talks", "mean", (0, 1)), Question("late", "first", (2,), at_least=0.5)]
    parts = [ensemble(minimal, 5, range(first, first + 8)) for first in range(0, 40, 8)]
    for make in (records.states, records.acts, records.beliefs, records.events):
        whole = store.TableHash(make(history, minimal, legend).schema)
        for part in parts:
            whole.update(make(part, minimal, legend))
        assert whole.hexdigest() == store.table_hash(make(history, minimal, legend))
    whole = records.outcomes(history, questions, legend)
    pieces = [records.outcomes(part, questions, legend) for part in parts]
    assert whole.to_pylist() == [row for piece in pieces for row in piece.to_pylist()]


def test_beliefs_stand_beside_what_was_promised(minimal: Compiled, history: History):
    rows = records.beliefs(history, minimal, legend_of(12)).to_pylist()
    assert len(rows) == 40 * 13 * 2
    row = rows[2 * 13 * 7 + 2 * 5 + 1]
    assert (row["run"], row["turn"], row["receiver"], row["giver"], row["kind"]) == (7, 5, "borea", "front", "quiet")
    assert row["promised"] == history.states[7, 5, minimal.paths.index("front.borea.promised_quiet")]
    assert row["credibility"] == pytest.approx(row["alpha"] / (row["alpha"] + row["beta"]), rel=1e-15)


def test_an_act_of_a_dated_event_has_no_utility(minimal: Compiled):
    done = history_of(np.zeros((1, 2, len(minimal.paths))), acts=[(0, 1, 0)])
    done.acts.utility[0] = np.nan
    row = records.acts(done, minimal, legend_of(1)).to_pylist()[0]
    assert row["utility"] is None
    assert row["probability"] == 1


def test_events_come_by_turn_dated_ones_first(minimal: Compiled):
    happened = np.zeros((2, 3, len(minimal.incidents)), dtype=np.bool_)
    happened[1, 1, 0] = True
    done = history_of(np.zeros((2, 4, len(minimal.paths))), incidents=happened)
    legend = Legend(
        ["a", "b", "c", "d"], [(2, "timeline[0]", "Kabul falls"), (9, "timeline[1]", "never")], {"raid": "a raid"}
    )
    rows = records.events(done, minimal, legend).to_pylist()
    assert [(row["run"], row["turn"], row["kind"], row["title"], row["actor"]) for row in rows] == [
        (0, 2, "inject", "Kabul falls", None),
        (1, 2, "inject", "Kabul falls", None),
        (1, 2, "incident", "a raid", "alba"),
    ]


# ------------------------------------------------------------------------------------------------------- outcomes

#                      slot 0              slot 1
STATES = np.moveaxis(
    np.array([
        [[0, 1, 2, 1], [0, 0, 0, 3]],  # run 0
        [[2, 2, 2, 2], [0, 0, 0, 0]],  # run 1
    ]),
    1, 2,
)  # fmt: skip


def test_first_passage_is_the_first_turn_that_holds_the_start_included():
    done = history_of(STATES)
    assert answers(done, Question("q", "first", (0,), at_least=2)) == {
        "run": [0, 1], "q": [True, True], "q_turn": [2, 0], "q_date": ["d2", "d0"],
    }  # fmt: skip
    assert answers(done, Question("q", "first", (1,), at_least=3)) == {
        "run": [0, 1], "q": [True, False], "q_turn": [3, None], "q_date": ["d3", None],
    }  # fmt: skip
    assert answers(done, Question("q", "first", (0,), at_most=0))["q_turn"] == [0, None]


def test_any_takes_the_first_member_all_waits_for_the_last_and_number_counts():
    done = history_of(STATES)
    assert answers(done, Question("q", "first", (0, 1), at_least=2, over="any"))["q_turn"] == [2, 0]
    assert answers(done, Question("q", "first", (0, 1), at_least=2, over="all"))["q_turn"] == [3, None]
    assert answers(done, Question("q", "first", (0, 1), at_least=2, over="number")) == {"run": [0, 1], "q": [2, 1]}
    assert answers(done, Question("q", "first", (0, 1), at_least=2, over="mean"))["q"] == [1, 0.5]


@pytest.mark.parametrize(
    ("measure", "expected"),
    [("end", [1, 2]), ("mean", [4 / 3, 2]), ("max", [2, 2]), ("min", [0, 2]), ("change", [1, 0])],
)
def test_each_measure_reads_what_it_says(measure: str, expected: list[float]):
    done = history_of(STATES)
    assert answers(done, Question("q", measure, (0,)))["q"] == pytest.approx(expected)
    assert answers(done, Question("q", measure, (0,), at_least=1.9))["q"] == [value >= 1.9 for value in expected]


def test_several_members_without_a_bound_give_their_mean():
    assert answers(history_of(STATES), Question("q", "end", (0, 1), over="mean"))["q"] == [2, 1]


def test_counts_know_options_turns_and_bounds():
    done = history_of(np.zeros((2, 4, 1)), acts=[(0, 1, 4), (0, 2, 4), (0, 2, 5), (1, 3, 4)])
    assert answers(done, Question("q", "count", options=(4,)))["q"] == [2, 1]
    assert answers(done, Question("q", "count", options=(4, 5), turns=(2, 2)))["q"] == [2, 0]
    assert answers(done, Question("q", "count", options=(4,), at_least=2))["q"] == [True, False]
    assert answers(done, Question("q", "count", options=()))["q"] == [0, 0]


def test_incidents_are_counted_over_the_actors_they_befall():
    happened = np.zeros((1, 3, 3), dtype=np.bool_)
    happened[0, 0, 0] = happened[0, 2, 1] = happened[0, 2, 2] = True
    done = history_of(np.zeros((1, 4, 1)), incidents=happened)
    assert answers(done, Question("q", "incidents", incidents=(0, 1)))["q"] == [2]


def test_a_run_answers_alike_alone_and_among_others(minimal: Compiled, history: History):
    slots = tuple(range(len(minimal.paths)))
    questions = [
        Question(f"{measure}_{over}", measure, slots, at_least=bound, over=over)
        for measure in ("end", "mean", "max", "min", "change")
        for bound, over in ((None, "mean"), (0.4, "any"), (0.4, "mean"), (0.4, "number"))
    ]
    together = records.outcomes(history, questions, legend_of(12)).to_pylist()
    for run in (0, 17, 39):
        alone = records.outcomes(ensemble(minimal, 5, [run]), questions, legend_of(12)).to_pylist()
        assert alone == [together[run]]


# ---------------------------------------------------------------------------------------- over any number of runs


def test_totals_count_acts_and_the_runs_that_hold_them(minimal: Compiled):
    totals = Totals(minimal)
    totals.add(history_of(np.zeros((2, 4, 1)), acts=[(0, 1, 1), (0, 2, 1), (1, 1, 1), (1, 1, 0)]))
    totals.add(history_of(np.zeros((2, 4, 1))))
    rows = totals.table().to_pylist()
    assert [(row["action"], row["acts"], row["a_run"], row["runs"], row["of"]) for row in rows] == [
        (minimal.options[1][1], 3, 0.75, 2, 4),
        (minimal.options[0][1], 1, 0.25, 1, 4),
    ]


def test_bands_are_exact_on_ladders_and_within_half_a_step_elsewhere(minimal: Compiled, history: History):
    bands = Bands(minimal, 12)
    for first in range(0, 40, 8):
        bands.add(ensemble(minimal, 5, range(first, first + 8)))
    rows = {(row["turn"], row["path"]): row for row in bands.table(legend_of(12)).to_pylist()}
    exact = np.quantile(history.states, records.QUANTILES, axis=0, method="inverted_cdf")
    for t in range(13):
        for s, path in enumerate(minimal.paths):
            width = minimal.tables.high[s] - minimal.tables.low[s]
            step = 0.0 if s in minimal.ladders else width / bands.steps[s] / 2
            got = [rows[t, path][name] for name in records.QUANTILE_NAMES]
            assert np.abs(np.array(got) - exact[:, t, s]).max() <= step + 1e-12, (t, path)
            assert rows[t, path]["mean"] == pytest.approx(history.states[:, t, s].mean(), rel=1e-12)


def test_bands_do_not_depend_on_how_runs_are_batched(minimal: Compiled, history: History):
    tables = []
    for size in (1, 7, 40):
        bands = Bands(minimal, 12)
        for first in range(0, 40, size):
            bands.add(ensemble(minimal, 5, range(first, min(first + size, 40))))
        tables.append(store.table_hash(bands.table(legend_of(12))))
    assert len(set(tables)) == 1


@given(st.lists(st.sampled_from(["", "ä", "front", "a b"]), min_size=1), st.data())
def test_named_columns_are_the_labels_of_their_indices(labels: list[str], data: st.DataObject):
    from sim import columns

    indices = data.draw(st.lists(st.integers(-1, len(labels) - 1)))
    expected = [None if index < 0 else labels[index] for index in indices]
    column = columns.named(labels, indices)
    column.validate(full=True)
    assert column.to_pylist() == expected
    assert columns.texts(expected).to_pylist() == expected


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False))), st.lists(st.booleans()))
def test_columns_read_back_to_what_they_were_made_of(floats: list[float | None], flags: list[bool]):
    from sim import columns

    column = columns.known([np.nan if value is None else value for value in floats])
    column.validate(full=True)
    assert column.to_pylist() == floats
    back = columns.values(column)
    assert [None if np.isnan(value) else value for value in back] == floats
    assert columns.values(columns.flags(flags)).tolist() == flags
    assert columns.values(columns.flags(flags).slice(1)).tolist() == flags[1:]


def test_joining_changes_no_table(minimal: Compiled, history: History):
    parts = [ensemble(minimal, 5, range(first, first + 20)) for first in (0, 20)]
    legend = legend_of(12)
    assert store.table_hash(records.acts(joined(parts), minimal, legend)) == store.table_hash(
        records.acts(history, minimal, legend)
    )
