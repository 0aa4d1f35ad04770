"""The execution role of programs that use SageMaker's SDK, and the keys of a session of it, the same at each start."""

import json
from collections.abc import Mapping

from ministack.services import sts

from ..access.credentials import ACCOUNT, RoleSession
from ..clients import LocalAws

ROLE = "SageMakerExecutionRole"
SESSION = "SageMaker"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
RIGHTS = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def create_execution_role(aws: LocalAws) -> None:
    """The role, which may do everything here, and its session, which `RoleSession.of` has the keys of."""
    iam = aws.client("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_policy(TRUST))
    iam.put_role_policy(RoleName=ROLE, PolicyName="Everything", PolicyDocument=_policy(RIGHTS))
    keys = RoleSession.of(aws.credentials)
    session = {
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{SESSION}",
        "UserId": f"{ROLE}:{SESSION}",
        "SecretAccessKey": keys.secret_key,
        "SessionToken": keys.token,
    }
    sts.register_session(keys.access_key, session)


def _policy(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
