"""Checks of a deployed stack: who hears of its runs, its alarms, its dead letters, its runs and what they cost."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ..dlq import dead_letter_queues
from ..errors import SeedbedError
from ..stack import MAY_NOT_ASK
from ..terminal.hints import seedbed
from ..terminal.text import listed, printable
from ..watch.stage import ENDED
from .account import Deployed
from .finding import Finding, failed, ok, warning

PENDING = "PendingConfirmation"
CONFIRM = "Open the link in the e-mail 'AWS Notification - Subscription Confirmation'; look in the spam folder too."
ALARM = "AWS::CloudWatch::Alarm"
AT_ONCE = 100
"""How many alarms CloudWatch describes at once."""
RUNS_LISTED = 100
NEARLY = 0.8


def subscription(deployed: Deployed) -> Iterator[Finding]:
    """Whether somebody is told of a run's end."""
    topic = deployed.stack.outputs.get("TopicArn")
    if topic is None:
        raise SeedbedError("This stack does not name its topic. Deploy it again, with this release.")
    pages = deployed.stack.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [each for page in pages for each in page["Subscriptions"] if each["SubscriptionArn"] != "Deleted"]
    waiting = [each["Endpoint"] for each in found if each["SubscriptionArn"] == PENDING]
    heard = [each["Endpoint"] for each in found if each["SubscriptionArn"] != PENDING]
    for address in waiting:
        yield warning("E-mail", f"{printable(address)} has not confirmed yet, and gets no e-mail.", CONFIRM)
    if heard:
        yield ok("E-mail", f"{listed(heard, 3)} {'is' if len(heard) == 1 else 'are'} told of every run's end.")
    if not found:
        again = seedbed("deploy --email you@example.org --stack", deployed.name)
        yield warning("E-mail", "Nobody is told of a run's end.", f"Name an address: {again}")


def alarms(deployed: Deployed) -> Iterator[Finding]:
    """The stack's alarms that fire."""
    paginator = deployed.stack.client("cloudformation").get_paginator("list_stack_resources")
    resources = (
        each for page in paginator.paginate(StackName=deployed.name) for each in page["StackResourceSummaries"]
    )
    names = [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == ALARM]
    client, firing = deployed.stack.client("cloudwatch"), []
    for start in range(0, len(names), AT_ONCE):
        described = client.describe_alarms(AlarmNames=names[start : start + AT_ONCE])["MetricAlarms"]
        firing += [alarm for alarm in described if alarm["StateValue"] == "ALARM"]
    for alarm in firing:
        about = printable(alarm.get("AlarmDescription") or alarm.get("StateReason", ""))
        yield failed("Alarm", f"{alarm['AlarmName']} fires.", about)
    if not firing:
        yield ok("Alarms", f"None of {len(names)} fires." if names else "The stack has none.")


def dead_letters(deployed: Deployed) -> Iterator[Finding]:
    """Messages that no function could process."""
    client, waiting = deployed.stack.client("sqs"), {}
    for about, (queue, _) in dead_letter_queues(deployed.stack).items():
        answer = client.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
        waiting[about] = int(answer["Attributes"]["ApproximateNumberOfMessages"])
    if not any(waiting.values()):
        yield ok("Dead letters", f"None in {len(waiting)} queues.")
        return
    sentence = ", ".join(f"{count:,} of {about}" for about, count in waiting.items() if count)
    yield warning("Dead letters", f"There are {sentence}.", f"See: {seedbed('dlq list', aws=deployed.name)}")


def runs(deployed: Deployed) -> Iterator[Finding]:
    """Whether the API answers, what the open run waits for, and what this month's runs cost."""
    try:
        answer = deployed.stack.get("/runs")
    except SeedbedError as error:
        yield (warning if str(error) == MAY_NOT_ASK else failed)("API", str(error))
        return
    yield latest(answer["runs"], deployed.name)
    yield spent(answer["runs"], float(deployed.parameters.get("MonthlyBudget", "0")))


def latest(runs: list[dict[str, Any]], name: str) -> Finding:
    """The state of the run in progress, or else of the latest one."""
    if not runs:
        return ok("Runs", "There is none yet.")
    run = next((run for run in runs if run["state"] not in ENDED), runs[0])
    sentence = f"The latest, {run['run_id']}, is {run['state']}."
    if run["state"] not in ENDED and run["notice"]:
        return warning("Runs", f"{sentence} {printable(run['notice'])}", f"Follow it: {seedbed('watch', aws=name)}")
    if run["state"] in ENDED - {"Completed"}:
        again = seedbed("retry", run["run_id"], aws=name) if run["state"] != "Refused" else ""
        return warning("Runs", f"{sentence} {printable(run['reason'])}", again and f"Another attempt: {again}")
    return ok("Runs", sentence)


def spent(runs: list[dict[str, Any]], budget: float) -> Finding:
    """What the jobs of this month's runs cost, beside the monthly budget."""
    month = f"{datetime.now(UTC):%Y-%m}"
    cost = sum(run["cost_usd"] for run in runs if run["created_at"].startswith(month))
    all_known = len(runs) < RUNS_LISTED or not runs[-1]["created_at"].startswith(month)
    least = "" if all_known else "at least "
    sentence = f"This month's runs have cost {least}US$ {cost:.2f} of {budget:,.2f}."
    if cost > NEARLY * budget:
        return warning("Cost", sentence, "A run that could exceed MonthlyBudget is refused: raise it, or wait.")
    return ok("Cost", sentence)
