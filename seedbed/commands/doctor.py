"""`seedbed doctor`: checks this machine, or a stack on AWS."""

import json
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from ..doctor.checks import of_machine, of_stack
from ..doctor.finding import Finding, State
from ..errors import SeedbedError
from ..local_cloud.home.folder import default_home
from ..terminal.console import results
from ..terminal.text import printable
from .options import AsJson, OnAws

STYLES = {State.ok: "green", State.warning: "yellow", State.failed: "bold red"}
INDENT = " " * (1 + max(map(len, STYLES)))


def doctor(as_json: AsJson = False, aws: OnAws = "") -> None:
    """Check this machine, or a stack on AWS and its account, and say what to do."""
    found = of_stack(aws) if aws else of_machine(default_home())
    counted: Counter[State] = Counter()
    for finding in noted(found, counted) if not as_json else []:
        print_finding(results(), finding)
    if as_json:
        listed = [finding.as_json() for finding in noted(found, counted)]
        sys.stdout.write(json.dumps(listed, indent=2) + "\n")
    if counted[State.failed]:
        raise SeedbedError(conclusion(counted))


def noted(found: Iterable[Finding], counted: Counter[State]) -> Iterator[Finding]:
    """The findings, counted by state."""
    for finding in found:
        counted[finding.state] += 1
        yield finding


def conclusion(counted: Counter[State]) -> str:
    """The sentence about checks that failed."""
    count, total = counted[State.failed], counted.total()
    return f"{count} of {total} checks failed. Do what their lines say, then run this again."


def print_finding(console: Console, finding: Finding) -> None:
    """Print a finding, with what to do on a line of its own. Addresses and commands are never broken."""
    state = finding.state
    head = f"{state.value:<{len(INDENT) - 1}} {finding.name}: {finding.sentence}"
    first, *others = lines_of(console, head)
    text = Text(first)
    text.stylize(STYLES[state], 0, len(state))
    console.print(text, soft_wrap=True)
    for line in [*others, *(lines_of(console, f"{INDENT}→ {finding.next_step}") if finding.next_step else [])]:
        console.print(Text(line), soft_wrap=True)


def lines_of(console: Console, text: str) -> list[str]:
    """The text in lines that fit a terminal; on one line elsewhere."""
    if not console.is_terminal:
        return [printable(text)]
    indent = INDENT + ("  " if text.startswith(f"{INDENT}→") else "")
    return textwrap.wrap(
        printable(text), console.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
