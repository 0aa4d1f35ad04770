"""Runs complete though SageMaker's events or the table are lost."""

from seedbed.rebuild import rebuild
from tests.local_cloud.conftest import LittleCloud


def without_events_of_sagemaker(cloud: LittleCloud) -> None:
    """Delete the rule that sends SageMaker's state changes to a function."""
    events = cloud.stack.client("events")
    (rule,) = [rule["Name"] for rule in events.list_rules()["Rules"] if "aws.sagemaker" in rule.get("EventPattern", "")]
    targets = [target["Id"] for target in events.list_targets_by_rule(Rule=rule)["Targets"]]
    events.remove_targets(Rule=rule, Ids=targets)
    events.delete_rule(Name=rule)


def test_the_schedule_completes_a_run_without_any_event_of_sagemaker(cloud: LittleCloud) -> None:
    without_events_of_sagemaker(cloud)
    cloud.put_images(range(100))
    (run,) = cloud.wait_for(cloud.runs, "the run to start")

    def tick() -> bool:
        """Do at once what the schedule does every minute."""
        function = cloud.stack.outputs["ReconcileFunction"]
        answer = cloud.stack.client("lambda").invoke(FunctionName=function, Payload=b"{}")
        assert "FunctionError" not in answer
        return bool(cloud.stack.get("/runs")["runs"][0]["state"] == "Completed")

    cloud.wait_for(tick, "the run to end")
    assert [run["run_id"]] == [found["run_id"] for found in cloud.runs()]
    assert len(cloud.mails(1)) == 1
    cloud.wait_for(lambda: cloud.runs()[0]["notified"], "the run to say that it was heard of")


def test_a_deleted_table_is_rebuilt_with_all_runs(cloud: LittleCloud) -> None:
    runs, best = cloud.runs(), cloud.stack.get("/models/best")
    dynamodb, table = cloud.stack.client("dynamodb"), cloud.stack.outputs["TableName"]
    dynamodb.delete_table(TableName=table)
    dynamodb.get_waiter("table_not_exists").wait(TableName=table)

    assert rebuild(cloud.stack) == [run["run_id"] for run in runs]

    assert [{**run, "notified": None} for run in cloud.runs()] == [{**run, "notified": None} for run in runs]
    assert cloud.stack.get("/models/best") == best
    assert rebuild(cloud.stack) == []


def test_runs_work_as_before_after_a_rebuild(cloud: LittleCloud) -> None:
    cloud.put_images(range(100, 120))
    cloud.wait_for(lambda: len(cloud.runs()) == 2, "the second run")

    def tick() -> bool:
        cloud.stack.client("lambda").invoke(FunctionName=cloud.stack.outputs["ReconcileFunction"], Payload=b"{}")
        return bool(cloud.runs()[-1]["state"] == "Completed")

    cloud.wait_for(tick, "the second run to end")
    assert len(cloud.mails(2)) == 2
