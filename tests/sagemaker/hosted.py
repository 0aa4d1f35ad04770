"""An endpoint with a toy model behind it, whose container does what each model's archive says."""

import contextlib
import io
import json
import signal
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests import children
from tests.sagemaker.toy_endpoint import BUCKET, ROLE, Endpoint

SERVE = """
import http.server, json, os, pathlib, signal, sys, threading, time

base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
given = json.loads((base / "model/toy.json").read_text()) if (base / "model/toy.json").exists() else {}
signal.alarm(3600)  # though nobody is left to end it
sys.stdout.write(f"serves {given}\\n")
sys.stdout.flush()
if "fail" in given:
    sys.stdout.write(given["fail"] + "\\n")
    sys.exit(3)
asked = 0
print("started", os.getpid(), sys.argv[1:], flush=True)

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        held = os.path.exists(given.get("not_healthy_while", ""))
        self.answer(503 if held else 200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        while os.path.exists(given.get("hold", "")):
            time.sleep(0.02)
        if body.startswith(b"stream "):
            return self.stream(body.split()[1:])
        if body == b"crash":
            os._exit(9)
        if body == b"refuse":
            return self.answer(400, b"I don't like that")
        if body == b"break":
            return self.answer(500, b"it broke")
        if body.startswith(b"bytes "):
            return self.answer(200, bytes(int(body[6:])), Content_Type="application/octet-stream")
        if body == b"odd header":
            lines = ["HTTP/1.1 200 OK", "Content-Type: text/plain;", "  charset=x", "Content-Length: 0", "", ""]
            self.wfile.write("\\r\\n".join(lines).encode())
            return
        if body == b"nonsense":
            self.wfile.write(b"this is not HTTP\\r\\n\\r\\n")
            return
        if body == b"half":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")
            return
        seen = {
            "name": given.get("name"), "said": body.decode(errors="replace")[:1000], "size": len(body),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "at": time.time(), "mood": os.environ.get("MOOD"), "pid": os.getpid(), "arguments": sys.argv[1:],
        }
        self.answer(200, json.dumps(seen).encode(), Content_Type="application/json",
                    X_Amzn_SageMaker_Custom_Attributes="seen")

    def stream(self, words):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("X-Amzn-SageMaker-Custom-Attributes", "seen")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for word in words:
            if word == b"break":
                return
            while word == b"wait" and os.path.exists(given["pause"]):
                time.sleep(0.02)
            self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(word), word))
        self.wfile.write(b"0\\r\\n\\r\\n")

    def log_message(self, *_):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

port = 8080 if given.get("stubborn") else int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
Server(("127.0.0.1", port), Handler).serve_forever()
"""
DOCKERFILE = """FROM python:3.12-slim
WORKDIR /opt/hosted
ENV MOOD=cheerful
COPY serve.py .
ENTRYPOINT ["python", "serve.py"]
"""
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/hosted:1"
INSTANCE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 2}}


class Hosted(Endpoint):
    """The server, with what makes models and endpoints on it and calls them."""

    def __init__(self, data_dir: Path, **options: Any) -> None:
        folder = data_dir.with_name(f"{data_dir.name}-image")
        folder.mkdir(parents=True)
        (folder / "serve.py").write_text(SERVE)
        (folder / "Dockerfile").write_text(DOCKERFILE)
        super().__init__(data_dir, images={"hosted": folder}, **options)
        self.runtime = self.client("sagemaker-runtime", retries={"total_max_attempts": 1})

    def model(self, name: str, behaviour: dict[str, Any] | None = None, **changes: Any) -> str:
        """Makes a model whose container behaves as its archive says, and returns the name."""
        key = f"models/{name}/model.tar.gz"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=archive({"name": name, **(behaviour or {})}))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{key}", **changes}
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        return name

    def config(self, name: str, *variants: dict[str, Any], **more: Any) -> str:
        """Makes a configuration; without variants it has one, of the model of the same name. more: its other fields."""
        given = variants or ({"ModelName": name},)
        shown = [
            {"VariantName": "AllTraffic", **({} if "ServerlessConfig" in each else INSTANCE), **each} for each in given
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=shown, **more)
        return name

    def deploy(self, name: str, behaviour: dict[str, Any] | None = None, **variant: Any) -> dict[str, Any]:
        """Makes a model, its configuration and endpoint of one name; its description once it is in service."""
        self.model(name, behaviour)
        self.config(name, {"ModelName": name, **variant})
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.settled(name)

    def deploy_async(self, name: str, behaviour: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
        """As `deploy`, with an AsyncInferenceConfig that writes below the endpoint's name. config: more of it."""
        places = {"S3OutputPath": f"s3://{BUCKET}/{name}/out/", "S3FailurePath": f"s3://{BUCKET}/{name}/failed"}
        output = {**places, **config.pop("OutputConfig", {})}
        self.model(name, behaviour)
        self.config(name, AsyncInferenceConfig={"OutputConfig": output, **config})
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.settled(name)

    def ask(self, name: str, body: bytes = b"hello", **more: Any) -> dict[str, Any]:
        """Sends an asynchronous invocation whose payload is in S3. Returns the answer to it."""
        key = f"{name}/in/{uuid.uuid4()}"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType="text/plain")
        answer: dict[str, Any] = self.runtime.invoke_endpoint_async(
            EndpointName=name, InputLocation=f"s3://{BUCKET}/{key}", **more
        )
        return answer

    def content_of(self, uri: str) -> bytes:
        """What an object has, once it is there."""
        key = uri.removeprefix(f"s3://{BUCKET}/")
        self.eventually(lambda: self.s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"])
        return self.read(key)

    def settled(self, name: str) -> dict[str, Any]:
        """The description of an endpoint once it is neither created nor updated."""
        found: dict[str, Any] = {}

        def over() -> bool:
            found.clear()
            found.update(self.sagemaker.describe_endpoint(EndpointName=name))
            return found["EndpointStatus"] not in ("Creating", "Updating")

        self.eventually(over)
        return found

    def invoke(self, name: str, body: bytes = b"hello", **more: Any) -> dict[str, Any]:
        """What the toy saw of an invocation, with the variant that answered."""
        answer = self.runtime.invoke_endpoint(EndpointName=name, Body=body, **more)
        return {**json.loads(answer["Body"].read()), "variant": answer["InvokedProductionVariant"]}

    def gone(self, name: str) -> bool:
        """Whether there is no such endpoint any more."""
        return not any(
            each["EndpointName"] == name for each in self.sagemaker.list_endpoints(NameContains=name)["Endpoints"]
        )

    def serving(self) -> set[int]:
        """The processes of this server's containers that serve."""
        return {pid for pid, command in _commands() if "serve.py" in command and self.url in _address(pid)}

    def serving_of(self, name: str, resource: str = "endpoint") -> set[int]:
        """Those of one endpoint or job."""
        jobs = str(self.data_dir / "sagemaker/jobs" / f"{resource}-{name}")
        return {pid for pid in self.serving() if jobs in _mounts(pid)}

    def invoke_patiently(self, name: str) -> dict[str, Any]:
        """The first answer of an endpoint after the server's start."""
        found: list[dict[str, Any]] = []

        def answered() -> bool:
            with contextlib.suppress(self.runtime.exceptions.ClientError):
                found.append(self.invoke(name))
            return bool(found)

        self.eventually(answered)
        return found[0]

    def kill_alone(self) -> None:
        """Ends the server at once, and nothing that it has started."""
        self.process.kill()
        children.exited(self.process)

    def kill(self) -> None:
        """Ends the server at once, as a crash does."""
        self.end(signal.SIGKILL)


def _commands() -> Iterator[tuple[int, str]]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process.pid, " ".join(process.cmdline())


def _address(pid: int) -> str:
    """The AWS endpoint that a process is told to use."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).environ().get("AWS_ENDPOINT_URL", "")
    return ""


def _mounts(pid: int) -> str:
    """What is mounted for a process, or else its variables, which name its folder where it has no namespace."""
    with contextlib.suppress(OSError, psutil.Error):
        return Path(f"/proc/{pid}/mountinfo").read_text() + str(psutil.Process(pid).environ())
    return ""


def archive(behaviour: dict[str, Any]) -> bytes:
    """A model.tar.gz with what the toy is to do."""
    content, packed = json.dumps(behaviour).encode(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("toy.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
