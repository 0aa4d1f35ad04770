"""What a run may cost at most under a template's parameters, by the functions' own code in a process of its own."""

import math
import os
import subprocess
import sys
from collections.abc import Mapping

from ..bundle import FUNCTIONS
from ..errors import SeedbedError
from ..terminal.text import printable
from .template import TemplateFile

ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from job_manager.domain.cost import upper_bound
from job_manager.domain.scale import for_images
from job_manager.settings import settings
print(upper_bound(for_images(settings().plan, 0)))
"""
BUDGETS = {"RunBudget": "--budget", "MonthlyBudget": "--set MonthlyBudget="}
TOO_LITTLE = (
    "A run could cost up to ${bound:.2f}, more than the {name} of ${budget:.2f}, so each would be refused. Raise that "
    "with {option}{least}, or have fewer trials with --set TrialCount=NUMBER."
)


def check_budgets(template: TemplateFile, values: Mapping[str, str]) -> float:
    """The most that a run may cost. Raises SeedbedError if that is more than a budget, so that no run would start."""
    bound = upper_bound(template, values)
    for name, option in BUDGETS.items():
        budget = float(values[name])
        if bound > budget:
            least = f"{' ' if option == '--budget' else ''}{math.ceil(bound * 100) / 100:.2f}"
            raise SeedbedError(TOO_LITTLE.format(bound=bound, name=name, budget=budget, option=option, least=least))
    return bound


def upper_bound(template: TemplateFile, values: Mapping[str, str]) -> float:
    """The most that a run of few images may cost under these parameters, in US dollars."""
    return float(asked(ASK, template, values))


def asked(question: str, template: TemplateFile, values: Mapping[str, str], *words: str) -> str:
    """What a program prints that imports the functions' code in their environment under these parameters."""
    environment = {"PATH": os.environ.get("PATH", ""), **template.environment(values)}
    command = [sys.executable, "-I", "-B", "-c", question, str(FUNCTIONS), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason was given"]
        raise SeedbedError(f"The template's parameters don't make a plan: {printable(said[-1])}")
    return done.stdout
