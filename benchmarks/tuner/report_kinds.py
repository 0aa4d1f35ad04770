"""The page's section on harder kinds of searches, and the one on how long a suggestion takes."""

import numpy as np

from .campaign import HARDER, LONG_PROBLEM, Plan, Results, Task
from .contestants import COLD
from .markdown import met, table
from .problems import KINDS, LONG, TRIALS, named
from .statistics import difference, ratio, regrets, whole_seeds

OURS, BASELINE = "Seedbed Bayesian", "random"
# How many suggestions at the end of a long search are timed.
TIMED = 10
SECONDS_BAR = 0.05
NONE = "-"

INTRODUCTION = f"""## Harder searches
{TRIALS} trials each. "4 at a time" and "10 at a time": so many trials are asked for before the first of them is told.
"Noisy": a trial scores one recorded repetition instead of the mean; the regret is that of the trial with the best score
seen, by its mean. "Failing": one in ten trials fails wherever it is, and of a table the worst combinations, a tenth at
most, always do; failed trials are told as failed jobs. KerasTuner ends its search after three failures in a row by
default, but not here. "Functions": {{functions}}, with continuous, integer and categorical ranges on linear and
logarithmic scales; the optimum and the order of the categories are drawn by the name.
The first four are of {{tables}}. The mean regret after {TRIALS} trials by `random`'s, then the number of seeds.
"""


def harder(results: Results, plan: Plan) -> str:
    """The regrets by random's of each kind of search, and the difference from the best peer."""
    groups = {kind: [named(kind, source) for source in plan.kind_tables] for kind in HARDER}
    groups["functions"] = plan.functions
    introduction = INTRODUCTION.format(
        functions=", ".join(name.partition("/")[2] for name in plan.functions), tables=", ".join(plan.kind_tables)
    )
    rows = [[name, *(_by_random(results, plan, name, problems) for problems in groups.values())] for name in COLD]
    text = introduction + table(["contestant", *groups], rows)
    compared = [[kind, *_best_peer(results, plan, problems)] for kind, problems in groups.items()]
    heads = ["kind of search", "best peer", f"{OURS}'s regret less its", "not above 0 beyond the interval"]
    return text + "\n" + table(heads, compared)


def _seeds(results: Results, plan: Plan, name: str, problems: list[str]) -> int:
    return min(whole_seeds(results, one, problems, plan.kind_seeds) for one in (name, BASELINE, OURS))


def _by_random(results: Results, plan: Plan, name: str, problems: list[str]) -> str:
    seeds = _seeds(results, plan, name, problems)
    if not seeds:
        return NONE
    own, random = (regrets(results, one, problems, seeds, TRIALS) for one in (name, BASELINE))
    return f"{ratio(own, random).text}; {seeds}"


def _best_peer(results: Results, plan: Plan, problems: list[str]) -> list[str]:
    found = []
    for peer in COLD:
        seeds = 0 if peer in (OURS, BASELINE, "Seedbed Random") else _seeds(results, plan, peer, problems)
        if seeds:
            pair = (regrets(results, name, problems, seeds, TRIALS) for name in (OURS, peer))
            found.append((peer, difference(*pair)))
    if not found:
        return [NONE] * 3
    peer, least = max(found, key=lambda item: item[1].mean)
    return [peer, least.text, met(least.low <= 0)]


def speed(results: Results) -> str:
    """How long a suggestion takes when 200 trials have ended."""
    ended = KINDS[LONG].trials - TIMED
    text = (
        f"## Time for a suggestion\nProcessor seconds of one thread: the median of {TIMED} suggestions after {ended} "
        f"trials of {LONG_PROBLEM.partition('/')[2]}. The slowest peers are left out.\n"
    )
    timed = {name: seconds_of(results, name) for name in COLD}
    rows = [[name, f"{seconds:.3f}"] for name, seconds in timed.items() if seconds is not None]
    return text + table(["contestant", "seconds"], rows)


def seconds_of(results: Results, contestant: str) -> float | None:
    """Processor seconds of a suggestion after 200 trials; None if the search wasn't run."""
    trials = results.get(Task(contestant, LONG_PROBLEM, 0))
    return float(np.median([trial.seconds for trial in trials[-TIMED:]])) if trials else None
