"""Selects the environment variables that the local cloud, its functions and jobs get from the user's environment.

Only variables named here or by the user pass: a shell holds tokens and passwords, and logs and models are shared.
"""

from collections.abc import Mapping

NAMED_BY = "SEEDBED_PASS_ENV"
MACHINE = {"HOME", "LOGNAME", "PATH", "TMPDIR", "TZ", "TZDIR", "USER", "XDG_CACHE_HOME"}
LANGUAGE = {"LANG", "LANGUAGE"}
CERTIFICATES = {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"}
LIBRARIES = {"DYLD_FALLBACK_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH"}
TRAINING = {
    "HIP_VISIBLE_DEVICES",
    "JAX_PLATFORMS",
    "KERAS_BACKEND",
    "KERAS_HOME",
    "NVIDIA_TF32_OVERRIDE",
    "NVIDIA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "TF_CPP_MIN_LOG_LEVEL",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_FORCE_GPU_ALLOW_GROWTH",
    "TF_GPU_ALLOCATOR",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
    "XLA_PYTHON_CLIENT_ALLOCATOR",
    "XLA_PYTHON_CLIENT_MEM_FRACTION",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
}
EVERYWHERE = MACHINE | LANGUAGE | CERTIFICATES | LIBRARIES | TRAINING
FAMILIES = ("LC_", "CUDA_", "GOMP_", "KMP_", "MKL_", "OMP_", "OPENBLAS_")
"""Prefixes of names: settings of languages, processors and graphics cards, which hold no secrets."""

CLOUD_ONLY = {
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "SEEDBED_SMTP_URL",
    "XDG_RUNTIME_DIR",
}


def passed_to_jobs(environment: Mapping[str, str]) -> dict[str, str]:
    """What jobs get: the machine's settings, and the variables named in SEEDBED_PASS_ENV."""
    return _chosen(environment, EVERYWHERE)


def passed_to_cloud(environment: Mapping[str, str]) -> dict[str, str]:
    """What the local cloud gets: what jobs get, and how to reach Docker and the mail server."""
    return _chosen(environment, EVERYWHERE | CLOUD_ONLY | {NAMED_BY})


def named_by_the_person(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables named in SEEDBED_PASS_ENV, which are all that a Docker container gets.

    The user's own AWS settings never pass: everything here uses the local cloud, with its key.
    """
    named = {name.strip() for name in environment.get(NAMED_BY, "").split(",")}
    return {name: environment[name] for name in named & environment.keys() if not name.startswith("AWS_")}


def _chosen(environment: Mapping[str, str], names: set[str]) -> dict[str, str]:
    settings = {name: value for name, value in environment.items() if name in names or name.startswith(FAMILIES)}
    return {**settings, **named_by_the_person(environment)}
