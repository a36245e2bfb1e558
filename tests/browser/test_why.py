"""The page Why answers what was done and what was not, from the numbers that `sim.explain` has."""

from __future__ import annotations

import io

import pandas
import pytest
from axe_playwright_python.sync_playwright import Axe

from sim import parameters
from sim.explain import Telling, card, card_of
from sim.naming import share
from sim.runs import open_run, prepare, run
from sim.scenario import numbers, read
from tests.browser.conftest import Visitor, serving, settled
from tests.browser.test_runs import saved

ANSWER = ".note.summary > span:last-of-type"
IDLE = """\
tightrope: 1
extends: minimal
title: With one who watches
assumption: an example
actors:
  onlooker: {title: The onlooker, interests: {calm: {of: raiders, ideal: 0, salience: 0.5}}}
"""


def serious(page):
    """What axe finds that is serious or worse."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]


def rows(page, table):
    return [row.locator("td").all_inner_texts() for row in page.locator(f"{table} tbody tr").all()]


def relied(folder):
    """An actor, a turn and an option that hangs on a promise that counts for something."""
    for turn in range(3, 13):
        for actor in ("alba", "borea"):
            for option in card(folder, actor, turn, whole=False).decision.options:
                if any(abs(reliance.adds) > 1e-3 for reliance in option.reliances):
                    return actor, turn, option
    raise AssertionError("nothing hangs on a promise")


def test_what_a_promise_adds_is_seen_beside_interests_regard_and_cost(visitor, folder):
    actor, turn, option = relied(folder / "minimal-1")
    page = visitor.open(
        f"/why?run=minimal-1&actor={actor}&turn={turn}&action={option.action}&target={option.target}", ".sums"
    )
    sums = {name: float(value) for name, value, _ in rows(page, ".sums")}
    assert sum(sums.values()) == pytest.approx(option.utility, abs=3e-4)
    assert sums["cost"] == pytest.approx(-option.cost, abs=6e-5)
    assert sums["credibility"] == pytest.approx(sum(part.trust for part in option.contributions), abs=6e-5)
    shown = rows(page, ".words")
    assert len(shown) == len(option.reliances)
    for cells, reliance in zip(shown, option.reliances, strict=True):
        assert float(cells[2]) == pytest.approx(reliance.promised, abs=6e-4)
        assert float(cells[3]) == pytest.approx(reliance.credibility, abs=6e-4)
        assert float(cells[5]) == pytest.approx(reliance.adds, abs=6e-5)
    told = pandas.read_csv(io.StringIO(saved(page, "CSV", "What each option was worth").path().read_text()))
    assert {"interests", "regard", "credibility", "cost"} <= set(told.series)


def test_the_first_sentence_is_an_answer_whatever_is_asked(visitor, folder):
    done = open_ = shut = None
    turn = 0
    while not (done and open_ and shut):
        turn += 1
        options = card(folder / "minimal-1", "alba", turn, whole=False).decision.options
        done = next((option for option in options if option.order), None)
        open_ = next((option for option in options if option.available and not option.order), None)
        shut = next((option for option in options if not option.available), None)
    page = visitor.open(f"/why?run=minimal-1&actor=alba&turn={turn}", ANSWER)
    picked = page.locator(".ask label.wide select").last
    for option, group in ((shut, "Not open to it"), (open_, "Open to it, and not done"), (done, "Done in this turn")):
        found = Telling(card(folder / "minimal-1", "alba", turn, 0, option.action, option.target, whole=False))
        page.wait_for_selector(f".ask optgroup[label='{group}']", state="attached")
        inside = page.locator(f".ask optgroup[label='{group}'] option").all_text_contents()
        name = found.words.option(option.name)
        assert name[:1].upper() + name[1:] in inside
        picked.select_option(f"{option.action}|{option.target or ''}")
        settled(page, ".note.summary", found.in_short())
        assert page.inner_text(ANSWER).strip() == found.in_short()
        assert f"action={option.action}" in page.url


def test_what_was_not_open_tells_its_conditions_and_what_would_have_brought_it_nearer(visitor, folder):
    page = visitor.open("/why?run=minimal-1&actor=alba&turn=1&action=pay&target=front", ANSWER)
    found = card(folder / "minimal-1", "alba", 1, 0, "pay", "front", whole=False)
    option = found.decision.option("pay", "front")
    assert not option.available
    assert "it was not open to it" in page.inner_text(ANSWER)
    telling = Telling(found)
    text = page.inner_text(".apart")
    for missing in option.missing:
        assert f"was {telling.words.value(missing.path, missing.value)}" in text
        nearer = [one for one in telling.open if any(m.path == missing.path and m.change > 0 for m in one.moves)]
        for one in nearer[:5]:
            assert f"chance to come up first {share(one.first)}" in text
    page.locator(".apart button.link").first.click()
    page.wait_for_selector(".sums")


def test_the_runner_up_is_told_with_how_far_behind_it_was(visitor, folder):
    found = next(
        made for turn in range(1, 13) for made in [card(folder / "minimal-1", "alba", turn)]
        if made.tips and made.tips[0].done is not None and made.tips[0].rival is not None
    )  # fmt: skip
    tip, decision = found.tips[0], found.decision
    page = visitor.open(f"/why?run=minimal-1&actor=alba&turn={decision.turn}", ".tips b")
    text = page.inner_text(".tips")
    gap = decision.option(*tip.done).utility - decision.option(*tip.rival).utility
    assert f"{share(tip.rival_first)} to come up first, against {share(tip.done_first)}" in text
    assert f"{abs(gap):.4f} {'behind' if gap >= 0 else 'ahead'}" in text
    for flip in tip.flips:
        assert flip.path in page.inner_html(".tips")


def test_the_start_an_actor_without_acts_and_a_dated_act_are_told(browser, folder, tmp_path):
    place = tmp_path / "runs"
    place.mkdir()
    (place / "idle.yaml").write_text(IDLE)
    with serving(place, tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open("/why?scenario=./idle&actor=onlooker&turn=2", ANSWER)
        assert "the scenario gives it nothing that it could do" in page.inner_text(ANSWER)
        page.goto(f"{served.url}/why?scenario=minimal&actor=alba&turn=0")
        settled(page, "main", "Turn 0 is the start, before anyone chose.")
        page.goto(f"{served.url}/why?scenario=minimal&do=3:act:borea:recognise:front&actor=borea&turn=3"
                  "&action=recognise&target=front")  # fmt: skip
        settled(page, ".note.summary", "it is a dated event of the scenario")
        page.goto(f"{served.url}/why?scenario=minimal")
        page.wait_for_url("**actor=alba**")  # the address names what is shown
        assert "turn=1" in page.url
        assert came.wrong == []
        came.context.close()


@pytest.mark.parametrize("policy", ["challenge", "reinforcement", "trend", "frozen"])
def test_cards_of_other_theories_add_up_too(visitor, policy):
    found = card_of(prepare("minimal"), 1, 0, "alba", 5, policy, whole=False)
    page = visitor.open(f"/why?scenario=minimal&policy={policy}&actor=alba&turn=5", ANSWER)
    assert page.inner_text(ANSWER).strip() == Telling(found).in_short()
    page.wait_for_selector(".why-bars svg")
    told = pandas.read_csv(io.StringIO(saved(page, "CSV", "What each option was worth").path().read_text()))
    sums = told[told.series == "expected utility"].value_1.astype(float).tolist()
    open_ = [option for option in found.decision.options if option.available]
    if policy == "trend":  # what it would have been worth stands beside the rate
        assert len(sums) == len(open_[:10])
    else:
        assert sums == pytest.approx([option.utility for option in open_[: len(sums)]], abs=1e-9)


def test_a_run_that_drew_its_numbers_is_explained_with_them(browser, tmp_path):
    path = tmp_path / "sets.csv"
    ranged = [entry for entry in numbers(read("minimal").scenario) if entry.quantity.range]
    low, high = (",".join(str(entry.quantity.range[n]) for entry in ranged) for n in (0, 1))
    head = f"{parameters.FIRST}\n# scenario: minimal\n# world: minimal\n"
    path.write_text(f"{head}weight,{','.join(entry.path for entry in ranged)}\n1,{low}\n1,{high}\n")
    done = run("minimal", 6, out=tmp_path / "runs" / "drawn", figures=False, parameter_file=path)
    acts = done.acts.to_pandas()
    first = acts[acts.utility.notna()].groupby("run").first()
    assert done.own(0).keys() == {entry.path for entry in ranged}
    with serving(tmp_path / "runs", tmp_path) as served:
        came = Visitor(browser, served)
        for number, act in list(first.iterrows())[:3]:
            whom = f"&target={act.target}" if isinstance(act.target, str) else ""
            page = came.open(
                f"/why?run=drawn&n={number}&actor={act.actor}&turn={act.turn}&action={act.action}{whom}", ".sums"
            )
            assert float(page.inner_text(".apart .sum .n")) == pytest.approx(act.utility, abs=6e-5)
            assert "differs" not in page.inner_text(".note.summary")
            page.close()
        assert came.wrong == []
        came.context.close()


def test_how_often_it_is_done_in_all_runs_is_what_pandas_counts(visitor, folder):
    acts = open_run(folder / "minimal-1").acts.to_pandas()
    first = acts[(acts.run == 0) & (acts.actor == "alba")].iloc[0]
    same = acts[(acts.actor == "alba") & (acts.action == first.action)]
    same = same[same.target.isna() if first.target is None else same.target == first.target]
    whom = "" if first.target is None else f"&target={first.target}"
    page = visitor.open(f"/why?run=minimal-1&actor=alba&turn={first.turn}&action={first.action}{whom}", ANSWER)
    here = same[same.turn == first.turn].run.nunique()
    settled(page, ".note.summary", f"In {same.run.nunique()} of 20 runs Alba ")
    settled(page, ".note.summary", f"in this turn in {here}.")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_whole_card_can_be_used_by_all(browser, dashboard, folder, dark):
    actor, turn, option = relied(folder / "minimal-1")
    came = Visitor(browser, dashboard, color_scheme="dark" if dark else "light")
    page = came.open(f"/why?run=minimal-1&actor={actor}&turn={turn}&action={option.action}&target={option.target}",
                     ".words")  # fmt: skip
    page.wait_for_selector(".sources")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    came.context.close()
