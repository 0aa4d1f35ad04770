"""The access keys that the local cloud accepts: the home's own, and those that its STS and IAM issued."""

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime, responses
from ministack.services import lambda_svc, sts

from .credentials import ACCOUNT, Credentials
from .signature import SecretOf


def known_keys(home: Credentials) -> SecretOf:
    """Looks up the home's key and the keys issued with it; never the emulator's `test` or an account number."""

    def secret_of(key: str, token: str) -> str | None:
        if key == home.access_key:
            return None if token else home.secret_key
        if iam_evaluator.is_root_access_key(key):
            return None
        try:
            account = responses._account_from_sts_session(key) or iam_evaluator.find_iam_access_key_account(key)
        except iam_evaluator.AmbiguousAccessKeyError:
            return None
        found = iam_evaluator.resolve_credential(key, account or ACCOUNT, token)
        return found.secret_access_key if isinstance(found, iam_evaluator.ResolvedCredential) else None

    return secret_of


def hide_function_keys(home: Credentials) -> None:
    """Derive the keys of each function's role from the home's secret; the emulator derives them from public names."""

    def execution_credentials(config: Mapping[str, Any]) -> dict[str, str]:
        function, role = config["FunctionArn"], config.get("Role", "")
        account, role_name, name = function.split(":")[4], role.rpartition("/")[2], config["FunctionName"][:64]
        key, secret, token = (home.derived(word, function, role) for word in ("key", "secret", "token"))
        access_key = f"ASIA{key[:16].upper()}"
        session = {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}",
            "UserId": f"{role_name}:{name}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        }
        sts.register_session(access_key, session)
        return {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}

    for module in (lambda_runtime, lambda_svc):
        assert callable(module.execution_credentials)
        module.execution_credentials = execution_credentials
