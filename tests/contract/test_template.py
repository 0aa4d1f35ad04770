"""Nothing that goes wrong in the stack is lost, and no door is open."""

import ast
import json
import re
from collections import defaultdict
from typing import Any

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate, evaluate_resource_policy, parse_policy_document

from job_manager.aws.s3 import TEMPORARY
from job_manager.domain import layout
from tests.contract.patterns import matches
from tests.contract.template import ROOT, ROUTES, STACKS, Template

TEMPLATE = Template()
QUEUES = TEMPLATE.of_type("AWS::SQS::Queue")
RULES = TEMPLATE.of_type("AWS::Events::Rule")
EVERY_ROUTE = TEMPLATE.of_type("AWS::ApiGatewayV2::Route")
STAGES = TEMPLATE.of_type("AWS::ApiGatewayV2::Stage")
BRACES = str.maketrans("<>", "{}")
METHODS = {"app.get": ("GET", "HEAD"), "app.post": ("POST",)}
IDS = ("0a1b2c3d-ca81-11f1-8a3c-0e6f3b2d5a17", "4e5f6a7b-ca81-11f1-8a3c-0e6f3b2d5a17")
PHYSICAL = {name: name.lower() for name in TEMPLATE.resources}
ATTRIBUTES = {(name, "Arn"): f"arn:aws:x:us-east-1:123456789012:{name}" for name in TEMPLATE.resources}
STACK_ACTIONS = [
    ("processing-job", "sagemaker:CreateProcessingJob"),
    ("processing-job", "sagemaker:StopProcessingJob"),
    ("hyper-parameter-tuning-job", "sagemaker:StopHyperParameterTuningJob"),
    ("training-job", "sagemaker:DescribeTrainingJob"),
]
NAMES: dict[str, set[str]] = defaultdict(
    lambda: (
        {"Name", "BucketName", "FunctionName", "TableName", "QueueName", "TopicName", "RoleName", "AlarmName"}
        | {"ManagedPolicyName", "LogGroupName", "DashboardName"}
    ),
    {"AWS::Lambda::Permission": set(), "AWS::Logs::MetricFilter": set()},
)
PREDICTIONS = {"Fn::Sub": "integrations/${PredictionsIntegration}"}
API_GATEWAY_SECONDS = 30
DEAD_LETTERS = [name for name in QUEUES if name.endswith("DeadLetterQueue")]


def sources(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """What wakes functions, of one type: (function, properties of the source)."""
    return [
        (function, source["Properties"])
        for function, properties in TEMPLATE.functions.items()
        for source in properties.get("Events", {}).values()
        if source["Type"] == kind
    ]


def arn_of(value: Any) -> str:
    """The resource whose ARN a value is."""
    resource, attribute = value["Fn::GetAtt"]
    assert attribute == "Arn"
    return str(resource)


@pytest.mark.parametrize("name", [name for name in QUEUES if name not in DEAD_LETTERS])
def test_every_queue_has_its_own_dead_letter_queue(name: str) -> None:
    redrive = QUEUES[name]["RedrivePolicy"]

    assert arn_of(redrive["deadLetterTargetArn"]) == name.replace("Queue", "DeadLetterQueue")
    assert redrive["maxReceiveCount"] >= 5


@pytest.mark.parametrize("name", DEAD_LETTERS)
def test_dead_letters_are_kept_for_sqs_maximum_of_14_days(name: str) -> None:
    assert QUEUES[name]["MessageRetentionPeriod"] == 14 * 24 * 3600


@pytest.mark.parametrize("name", RULES)
def test_every_target_of_a_rule_is_a_queue_with_a_dead_letter_queue(name: str) -> None:
    for target in RULES[name]["Targets"]:
        assert arn_of(target["Arn"]) in QUEUES
        assert arn_of(target["DeadLetterConfig"]["Arn"]) in DEAD_LETTERS


def test_rules_and_schedules_may_send_to_their_queues() -> None:
    (policy,) = TEMPLATE.of_type("AWS::SQS::QueuePolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    allowed = {arn_of(resource) for resource in statement["Resource"]}
    targets = [target for rule in RULES.values() for target in rule["Targets"]]
    used = {arn_of(target["Arn"]) for target in targets} | {arn_of(t["DeadLetterConfig"]["Arn"]) for t in targets}
    used |= {arn_of(schedule["DeadLetterConfig"]["Arn"]) for _, schedule in sources("Schedule")}

    assert used <= allowed


@pytest.mark.parametrize(("function", "source"), sources("SQS"))
def test_a_message_is_hidden_six_times_as_long_as_its_function_may_run(function: str, source: dict[str, Any]) -> None:
    queue = QUEUES[arn_of(source["Queue"])]

    assert queue["VisibilityTimeout"] >= 6 * TEMPLATE.functions[function]["Timeout"]


@pytest.mark.parametrize(("function", "source"), [*sources("SQS"), *sources("DynamoDB")])
def test_a_malformed_message_does_not_hold_up_its_batch(function: str, source: dict[str, Any]) -> None:
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source.get("BatchSize", 10) <= 10 or source["MaximumBatchingWindowInSeconds"] >= 1


@pytest.mark.parametrize("name", QUEUES)
def test_every_queue_has_an_alarm_that_notifies_people(name: str) -> None:
    metric = "ApproximateNumberOfMessagesVisible" if name in DEAD_LETTERS else "ApproximateAgeOfOldestMessage"
    (alarm,) = (
        alarm
        for alarm in TEMPLATE.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [name, "QueueName"]}}]
    )

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", metric)
    assert alarm["AlarmActions"] == [{"Ref": "Topic"}]


def test_undelivered_stream_records_are_kept() -> None:
    ((_, stream),) = sources("DynamoDB")

    assert arn_of(stream["DestinationConfig"]["OnFailure"]["Destination"]) in DEAD_LETTERS
    assert 0 < stream["MaximumRetryAttempts"] < 100


def test_the_quiet_period_fits_into_an_sqs_delay() -> None:
    assert TEMPLATE.parameters["QuietPeriodSeconds"]["MaxValue"] <= 900


def test_no_route_is_open() -> None:
    assert not TEMPLATE.of_type("AWS::Serverless::HttpApi")
    for route in EVERY_ROUTE.values():
        by_token = route["ApiId"] == {"Ref": "JwtApi"}
        assert route["AuthorizationType"] == ("JWT" if by_token else "AWS_IAM")
        assert route.get("AuthorizerId") == ({"Ref": "JwtAuthorizer"} if by_token else None)


def test_tokens_are_taken_only_if_the_stack_trusts_an_issuer_and_change_things_only_by_a_scope() -> None:
    (authorizer,) = TEMPLATE.of_type("AWS::ApiGatewayV2::Authorizer").values()
    own = [name for name, r in TEMPLATE.resources.items() if name.startswith("Jwt")]
    routes = {EVERY_ROUTE[name]["RouteKey"]: name for name in own if name in EVERY_ROUTE}

    assert authorizer["JwtConfiguration"] == {"Issuer": {"Ref": "JwtIssuer"}, "Audience": [{"Ref": "JwtAudience"}]}
    assert not TEMPLATE.resolve(TEMPLATE.content["Conditions"]["HasJwt"])
    for name in own:
        scoped = name == routes["POST /{proxy+}"]
        assert TEMPLATE.resources[name]["Condition"] == ("HasJwtWriteScope" if scoped else "HasJwt")
    assert routes.keys() == {"GET /{proxy+}", "HEAD /{proxy+}", "POST /predictions", "POST /{proxy+}"}
    assert EVERY_ROUTE[routes["POST /{proxy+}"]]["AuthorizationScopes"] == [{"Ref": "JwtWriteScope"}]


@pytest.mark.parametrize(
    ("issuer", "accepted"),
    [
        ("", True),
        ("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE", True),
        ("http://tokens.example", False),
        ("https://tokens.example/?open", False),
    ],
)
def test_an_issuer_is_an_address_with_tls(issuer: str, accepted: bool) -> None:
    assert bool(re.fullmatch(TEMPLATE.parameters["JwtIssuer"]["AllowedPattern"], issuer)) == accepted


def test_an_issuer_without_an_audience_is_refused() -> None:
    rule = TEMPLATE.content["Rules"]["TokensHaveAnAudience"]

    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "JwtIssuer"}, ""]}]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "JwtAudience"}, ""]}]}


def test_the_templates_routes_match_the_apis() -> None:
    tree = ast.parse((ROOT / "functions" / "api.py").read_text(encoding="utf-8"))
    answered = {
        f"{method} {ast.literal_eval(decorator.args[0]).replace('<run_id>', '{id}').translate(BRACES)}"
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for method in METHODS.get(ast.unparse(decorator.func), ())
    }

    assert {route["RouteKey"] for route in ROUTES.values() if route["Target"] != PREDICTIONS} == answered


def test_predictions_have_a_route_of_their_own_with_a_lower_rate() -> None:
    (route,) = (route["RouteKey"] for route in ROUTES.values() if route["Target"] == PREDICTIONS)
    stage = TEMPLATE.resources["HttpApiStage"]["Properties"]

    assert route == "POST /predictions"
    assert stage["RouteSettings"][route]["ThrottlingRateLimit"] < stage["DefaultRouteSettings"]["ThrottlingRateLimit"]
    assert TEMPLATE.functions["Predictions"]["Timeout"] < API_GATEWAY_SECONDS


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject"])
@pytest.mark.parametrize(("over_tls", "denied"), [(False, True), (True, False)])
def test_the_bucket_denies_requests_without_tls(action: str, over_tls: bool, denied: bool) -> None:
    template = Template(physical={"Bucket": "seedbed"})
    policy = template.resolve(template.resources["BucketPolicy"]["Properties"]["PolicyDocument"])
    account, key = "123456789012", "" if action == "s3:ListBucket" else "/seedlings/Maize/a.png"
    asked = EvalContext(
        f"arn:aws:iam::{account}:user/somebody",
        "User",
        account,
        action,
        f"arn:aws:s3:::seedbed{key}",
        "us-east-1",
        secure_transport=over_tls,
    )

    assert (evaluate_resource_policy(policy, asked).decision == "Deny") is denied
    assert template.resources["BucketPolicy"]["Properties"]["Bucket"] == {"Ref": "Bucket"}
    assert template.resolve(template.content["Conditions"][template.resources["BucketPolicy"]["Condition"]])


def test_overwritten_and_deleted_objects_are_kept_for_a_month() -> None:
    bucket = TEMPLATE.resolve({**TEMPLATE.resources["Bucket"]["Properties"], "NotificationConfiguration": None})
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert rules["end-old-versions"] == {
        "Id": "end-old-versions",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "ExpiredObjectDeleteMarker": True,
    }


def test_only_what_its_run_alone_needed_expires() -> None:
    bucket = TEMPLATE.resources["Bucket"]["Properties"]
    expiring = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]
    kept = ("snapshot", "manifest", "dataset_report", "mosaic", "scores", "model", "report", "model_card", "record")
    run_id = "sb-0123456789abcdef-1"

    assert [rule["TagFilters"] for rule in expiring] == [[TEMPORARY]]
    assert not [name for name in kept if getattr(layout, name)(run_id).startswith(layout.temporary(run_id))]


@pytest.mark.parametrize("role", TEMPLATE.of_type("AWS::IAM::Role"))
def test_a_service_assumes_a_role_only_for_this_account(role: str) -> None:
    (trust,) = TEMPLATE.of_type("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_no_name_is_fixed_that_a_second_stack_or_a_second_attempt_would_meet() -> None:
    named = {
        f"{name}.{key}"
        for name, resource in TEMPLATE.resources.items()
        for key in resource.get("Properties", {})
        if key in NAMES[resource["Type"]]
    }

    assert named == {
        "Bucket.BucketName", "Dashboard.DashboardName", "HttpApi.Name", "JwtApi.Name", "JwtAuthorizer.Name"
    }  # fmt: skip
    assert TEMPLATE.resources["Bucket"]["Properties"]["BucketName"] == {
        "Fn::If": ["HasBucketName", {"Ref": "BucketName"}, {"Ref": "AWS::NoValue"}]
    }
    assert not TEMPLATE.parameters["BucketName"]["Default"]


@pytest.mark.parametrize(("kind", "name"), STACK_ACTIONS)
def test_a_stack_may_touch_only_its_own_jobs(kind: str, name: str) -> None:
    own, other = (Template(physical=PHYSICAL, attributes=ATTRIBUTES, stack_id=f"{STACKS}/seedbed/{one}") for one in IDS)
    job = f"arn:aws:sagemaker:us-east-1:123456789012:{kind}/{other.environment['JOB_PREFIX']}ffffffffffff-1"
    asked = EvalContext("arn:aws:iam::123456789012:role/r", "Role", "123456789012", name, job, "us-east-1")

    for template, allowed in ((own, False), (other, True)):
        policy = template.resolve(template.functions["AdvanceRun"]["Policies"][0])
        document = parse_policy_document({"Version": "2012-10-17", **policy})
        assert (evaluate(asked, [document]).decision == "Allow") is allowed


def test_the_job_rule_matches_only_the_stacks_own_jobs() -> None:
    detail = {"ProcessingJobName": "sb-3f9c1b7affffffffffff-1-prepare", "ProcessingJobStatus": "Completed"}
    event = {"source": "aws.sagemaker", "detail-type": "SageMaker Processing Job State Change", "detail": detail}

    heard = [
        matches(template.resolve(template.resources["JobStateRule"]["Properties"]["EventPattern"]), event)
        for template in (Template(), Template(stack_id=f"{STACKS}/seedbed/{IDS[0]}"))
    ]

    assert heard == [True, False]


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("", "aws:ecr:us-east-1:123456789012:repository/seedbed-trainer"),
        ("210987654321.dkr.ecr.eu-west-1.amazonaws.com/trainer", "aws:ecr:eu-west-1:210987654321:repository/trainer"),
        (
            f"210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/trainer@sha256:{'a' * 64}",
            "aws:ecr:eu-west-1:210987654321:repository/team/trainer",
        ),
        (
            f"210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn/team/trainer:1.0@sha256:{'a' * 64}",
            "aws:ecr:cn-north-1:210987654321:repository/team/trainer",
        ),
    ],
)
def test_jobs_may_pull_from_their_images_repository_alone(image: str, repository: str) -> None:
    template = Template(physical=PHYSICAL)
    assert re.fullmatch(template.parameters["TrainingImage"]["AllowedPattern"], image)
    template.parameters["TrainingImage"]["Default"] = image
    (policy,) = template.resolve(template.resources["TrainingRole"]["Properties"]["Policies"])
    pulling = [s for s in policy["PolicyDocument"]["Statement"] if "ecr:BatchGetImage" in s["Action"]]

    assert [statement["Resource"] for statement in pulling] == [f"arn:{repository}"]


@pytest.mark.parametrize("image", ["seedbed-trainer:latest", "docker.io/library/python", "210987654321.dkr.ecr."])
def test_an_image_elsewhere_than_in_ecr_is_refused_before_anything_is_created(image: str) -> None:
    assert not re.fullmatch(TEMPLATE.parameters["TrainingImage"]["AllowedPattern"], image)


def test_logs_are_the_stacks_and_end() -> None:
    groups = TEMPLATE.of_type("AWS::Logs::LogGroup")
    written = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in TEMPLATE.functions.values()]
    settings = {json.dumps(stage["AccessLogSettings"]) for stage in STAGES.values()}
    (access,) = map(json.loads, settings)
    line = json.loads(access["Format"])

    assert sorted([*written, arn_of(access["DestinationArn"])]) == sorted(groups)
    assert all(group == {"RetentionInDays": {"Ref": "LogDays"}} for group in groups.values())
    assert (line["caller"], line["subject"]) == ("$context.identity.userArn", "$context.authorizer.claims.sub")
    assert all(0 < stage["DefaultRouteSettings"]["ThrottlingRateLimit"] <= 100 for stage in STAGES.values())


def test_a_reconcile_that_failed_is_a_dead_letter() -> None:
    asynchronous = TEMPLATE.functions["Reconcile"]["EventInvokeConfig"]
    statements = TEMPLATE.functions["Reconcile"]["Policies"][0]["Statement"]

    assert arn_of(asynchronous["DestinationConfig"]["OnFailure"]["Destination"]) in DEAD_LETTERS
    assert asynchronous["MaximumRetryAttempts"] == 0
    assert {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}} in (
        statements
    )


def test_what_is_stored_is_encrypted_and_the_table_can_be_restored() -> None:
    (rule,) = TEMPLATE.resources["Bucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    recovery = TEMPLATE.resources["Table"]["Properties"]["PointInTimeRecoverySpecification"]

    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert all(queue["SqsManagedSseEnabled"] for queue in QUEUES.values())
    assert TEMPLATE.resolve(recovery) == {"PointInTimeRecoveryEnabled": True}


def test_the_bucket_is_closed_to_the_public_and_outlives_the_stack() -> None:
    bucket = TEMPLATE.resources["Bucket"]

    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["UpdateReplacePolicy"] == "Retain"


def test_jobs_delete_nothing_but_checkpoints() -> None:
    template = Template(physical={"Bucket": "seedbed"})
    (policy,) = template.resources["TrainingRole"]["Properties"]["Policies"]
    deleting = [
        template.resolve(statement)
        for statement in policy["PolicyDocument"]["Statement"]
        if "Delete" in str(statement["Action"])
    ]

    assert deleting == [
        {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::seedbed/runs/*/checkpoints/*"}
    ]
