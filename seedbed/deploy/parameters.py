"""The values of a template's parameters: those given now, else those that a person chose before, else the defaults."""

import difflib
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..errors import WrongUse
from ..terminal.text import listed, printable

EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
NO_EMAIL = "Name the address that e-mails go to: --email you@example.com"
NOT_AN_EMAIL = "{} is not an e-mail address. Name one such as: --email you@example.com"
SHOWN = 6


def settings_of(words: list[str]) -> dict[str, str]:
    """What `--set NAME=VALUE` gives. Raises WrongUse for anything else."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise WrongUse(f"--set takes NAME=VALUE, such as --set TrialCount=40, not {word}.")
        found[name] = value
    return found


def merged(given: Mapping[str, str], chosen: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """The value of each parameter that the template knows."""
    return {**defaults, **{name: value for name, value in chosen.items() if name in defaults}, **given}


def chosen_before(values: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """What a person chose of a deployed stack's values: a default that was left alone changes with the template."""
    return {name: value for name, value in values.items() if value != defaults.get(name)}


def check(given: Mapping[str, str], rules: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises WrongUse for a parameter that the template does not have, or a value that it does not allow."""
    for name, value in given.items():
        if name not in rules:
            near = difflib.get_close_matches(name, rules, n=1)
            advice = f"Did you mean {near[0]}?" if near else f"It has {listed(sorted(rules), SHOWN)}."
            raise WrongUse(f"The template has no parameter {name or 'without a name'}. {advice}")
        wanted = obstacle(value, rules[name])
        if wanted:
            raise WrongUse(f"{name} can't be {printable(value) or 'empty'}: it must be {wanted}.")


def obstacle(value: str, rules: Mapping[str, Any]) -> str:
    """What a value has to be and is not; empty if it is fine."""
    if rules["Type"] == "Number":
        return number_obstacle(value, rules)
    allowed = list(map(str, rules.get("AllowedValues", [])))
    if allowed and value not in allowed:
        return f"one of {', '.join(allowed)}"
    pattern = rules.get("AllowedPattern", ".*")
    return "" if re.fullmatch(pattern, value) else f"written like {pattern}"


def number_obstacle(value: str, rules: Mapping[str, Any]) -> str:
    number = float("nan")
    with suppress(ValueError):
        number = float(value)
    allowed = rules.get("AllowedValues", [])
    if allowed:
        return "" if number in map(float, allowed) else f"one of {', '.join(map(str, allowed))}"
    least, most = rules.get("MinValue", float("-inf")), rules.get("MaxValue", float("inf"))
    if float(least) <= number <= float(most):
        return ""
    bounds = [f"from {least}"] if "MinValue" in rules else []
    bounds += [f"up to {most}"] if "MaxValue" in rules else []
    return " ".join(["a number", *bounds])


def check_email(address: str) -> None:
    """Raises WrongUse if there is no address, or none that mail could be sent to."""
    if not address:
        raise WrongUse(NO_EMAIL)
    if not EMAIL.fullmatch(address):
        raise WrongUse(NOT_AN_EMAIL.format(address))
