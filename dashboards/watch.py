"""Watch: one run unfolds."""

from __future__ import annotations

import solara

from dashboards import pages, parts, state

PAGE = pages.Page("watch", "Watch", "mdi-play-circle-outline", 10)


@solara.component
def View(query: state.Query, go: parts.Go) -> None:
    subject = state.Subject.of(query, "takeover-2021")
    ready = subject.ready()
    parts.Note(text=ready.scenario.title)
