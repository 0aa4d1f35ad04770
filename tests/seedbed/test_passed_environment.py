"""Which variables of the user's environment reach functions and jobs."""

import pytest

from seedbed.local_cloud.passed_environment import passed_to_cloud, passed_to_jobs

NEEDED = {
    "PATH": "/bin",
    "HOME": "/home/you",
    "LANG": "en",
    "LC_ALL": "C",
    "TZ": "UTC",
    "SSL_CERT_FILE": "/etc/ca.pem",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_CORETYPE": "Haswell",
    "CUDA_VISIBLE_DEVICES": "0",
    "KERAS_BACKEND": "jax",
}
NAMES = (
    *("GITHUB_TOKEN", "KAGGLE_KEY", "HF_TOKEN", "WANDB_API_KEY", "NVIDIA_API_KEY", "TF_VAR_password", "TF_TOKEN_app"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "DOCKER_AUTH_CONFIG", "HTTPS_PROXY", "https_proxy", "SSH_AUTH_SOCK"),
    *("PYTHONPATH", "PYTHONSAFEPATH", "SEEDBED_HOME"),
)
SECRETS = dict.fromkeys(NAMES, "secret")


def test_what_jobs_need_reaches_them_and_secrets_do_not() -> None:
    environment = {**NEEDED, **SECRETS, "SEEDBED_SMTP_URL": "smtp://you:secret@host"}
    assert passed_to_jobs(environment) == NEEDED


def test_the_cloud_also_gets_the_mail_server_and_dockers_settings() -> None:
    own = {"SEEDBED_SMTP_URL": "smtp://host", "DOCKER_HOST": "unix:///run/docker.sock", "SEEDBED_PASS_ENV": "X"}
    assert passed_to_cloud({**NEEDED, **SECRETS, **own}) == {**NEEDED, **own}


@pytest.mark.parametrize("named", ["HF_TOKEN,WANDB_API_KEY", " HF_TOKEN , WANDB_API_KEY,,", "WANDB_API_KEY,HF_TOKEN,X"])
def test_named_variables_reach_jobs_through_the_cloud(named: str) -> None:
    passed = passed_to_jobs(passed_to_cloud({**SECRETS, "SEEDBED_PASS_ENV": named}))
    assert passed == {"HF_TOKEN": "secret", "WANDB_API_KEY": "secret"}


def test_the_users_aws_settings_never_pass_even_if_named() -> None:
    environment = {**SECRETS, "SEEDBED_PASS_ENV": "AWS_PROFILE,AWS_SECRET_ACCESS_KEY"}
    assert passed_to_jobs(environment) == {}
