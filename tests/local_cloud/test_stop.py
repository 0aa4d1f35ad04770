"""Stopping a run and resending dead letters on the real local cloud."""

import json

from seedbed.dlq import dead_letters, redrive
from tests.local_cloud.conftest import LittleCloud


def test_stop_ends_a_tuning_run_with_an_e_mail_and_the_next_run_starts(cloud: LittleCloud) -> None:
    cloud.put_images(range(100))
    (run,) = cloud.wait_for(lambda: [run for run in cloud.runs() if run["state"] == "Tuning"], "the run to tune")

    answer = cloud.stack.post(f"/runs/{run['run_id']}/stop")

    assert answer["message"].startswith(f"The run {run['run_id']} is being stopped")
    (stopped,) = cloud.ended_runs(1)
    assert (stopped["state"], stopped["reason"]) == ("Stopped", "Stopped by a person.")
    (mail,) = cloud.mails(1)
    assert mail["Subject"] == "Seedbed: the run was stopped: Stopped by a person."

    cloud.put_images(range(100, 120))
    assert [run["state"] for run in cloud.ended_runs(2)] == ["Stopped", "Completed"]


def test_a_dead_letter_is_listed_and_sent_back_to_its_function(cloud: LittleCloud) -> None:
    dead, source = json.loads(cloud.stack.outputs["DeadLetterQueues"])["upload"]
    event = {"detail": {"object": {"key": "seedlings/Maize/once-lost.png"}}}
    sqs = cloud.stack.client("sqs")
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(event))

    (letter,) = dead_letters(cloud.stack)
    assert (letter.about, letter.came_from) == ("upload", source)
    assert redrive(cloud.stack) == (1, 0)

    assert dead_letters(cloud.stack) == []
    cloud.wait_for(lambda: cloud.stack.get("/runs")["pending"], "the redriven event to be noted")
