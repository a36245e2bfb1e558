"""What a user is told when something is wrong: problems gathered, raised once.

A problem names its place, the value, the rule and the mend. Whoever reads a file collects every problem in it and
raises `Problems` at the end; the command line prints `str(error)` and leaves with `error.exit_code`. This module
imports nothing of ours, and every other may import it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where.

    file: as the user named it. line, column: from 1; the column is left out without a line. path: the place within
    the file, such as `actors.russia.interests.borders.salience`. message: what is wrong, and the mend.
    """

    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str | None = None
    message: str = ""

    def __str__(self) -> str:
        """`file:line:column: path: message`, without the parts that are not known."""
        place = [part for part in (self.file, self.line) if part is not None]
        if self.line is not None and self.column is not None:
            place.append(self.column)
        parts = [":".join(map(str, place)), self.path or "", self.message]
        return ": ".join(part for part in parts if part)


class UserError(Exception):
    """Ends a command with one message and no traceback.

    exit_code: what the process returns. Raise one of the subclasses, which say whose fault it is.
    """

    exit_code: ClassVar[int] = 2


class BadInput(UserError):
    """What the user wrote cannot be used: a file, an option or a name."""

    exit_code = 2


class FolderProblem(UserError):
    """A run folder is in use, foreign, damaged or not empty."""

    exit_code = 3


class StorageProblem(UserError):
    """The disk is full, read-only or failing."""

    exit_code = 4


class Problems(BadInput):
    """Every problem of the input at once; `str()` gives a line for each and the count.

    problems: kept in the order given, which is the order in which they are printed.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        closing = f"{count} problem{'' if count == 1 else 's'}; nothing was run"
        return "\n".join([*map(str, self.problems), closing])
