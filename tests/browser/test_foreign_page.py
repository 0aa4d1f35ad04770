"""A page that a person happens to open can make their browser ask the local cloud for things: all in vain."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Page

from seedbed.local_cloud.clients import LocalAws
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.process import served
from tests.waiting import PATIENCE, wait_for

from .conftest import FOREIGN

PAGE = """<!doctype html><title>A page</title><iframe name="frame"></iframe><body><script>
const ask = name => TARGET + "/?" + QUERY + name
const add = (tag, attributes) => document.body.append(Object.assign(document.createElement(tag), attributes))
add("img", {src: ask("img")})
add("script", {src: ask("script")})
add("link", {rel: "stylesheet", href: ask("style")})
add("iframe", {src: ask("iframe")})
add("video", {src: ask("video")})
add("object", {data: ask("object")})
for (const [name, type] of [["form", "application/x-www-form-urlencoded"], ["text", "text/plain"]]) {
  const form = Object.assign(document.createElement("form"), {
    action: ask(name), method: "post", enctype: type, target: "frame" + name})
  add("iframe", {name: "frame" + name})
  form.append(Object.assign(document.createElement("input"), {name: "Action", value: "CreateQueue"}))
  document.body.append(form)
  form.submit()
}
const quietly = promise => promise.catch(() => {})
quietly(fetch(ask("fetch"), {mode: "no-cors"}))
quietly(fetch(ask("cors")))
quietly(fetch(ask("post"), {mode: "no-cors", method: "POST", body: "Action=CreateQueue"}))
quietly(fetch(ask("preflight"), {method: "POST", headers: {"X-Amz-Target": "SageMaker.CreateTrainingJob"}, body: "{}"}))
navigator.sendBeacon(ask("beacon"), "{}")
new EventSource(ask("events"))
new WebSocket(TARGET.replace("http", "ws") + "/_aws/execute-api/x/stage?" + QUERY + "websocket")
</script>"""
WAYS = {"img", "script", "style", "iframe", "video", "object", "form", "text", "fetch", "cors", "post", "preflight"}
WAYS |= {"beacon", "events", "websocket"}
CREATE_QUEUE = "AWSAccessKeyId=test&Action=CreateQueue&Version=2012-11-05&QueueName=stolen-"


class Site(BaseHTTPRequestHandler):
    """Serves the page, and remembers which of its ways led here."""

    target = ""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "QueueName" in query:
            assert isinstance(self.server, Recorder)
            self.server.reached_by(query["QueueName"][0].removeprefix("stolen-"))
        body = PAGE.replace("TARGET", json.dumps(self.target)).replace("QUERY", json.dumps(CREATE_QUEUE)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Recorder(ThreadingHTTPServer):
    """A server that knows once all of the page's ways have led to it."""

    def __init__(self, handler: type[Site]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.ways: set[str] = set()
        self.all_ways = threading.Event()

    def reached_by(self, way: str) -> None:
        self.ways.add(way)
        if self.ways >= WAYS:
            self.all_ways.set()


@contextmanager
def site(target: str) -> Iterator[Recorder]:
    """The page that attacks `target`, served."""
    with Recorder(type("Attack", (Site,), {"target": target})) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with served(Home(tmp_path_factory.mktemp("browser") / "home"), 0, ["--no-template"]) as cloud:
        yield LocalAws.of(cloud)


def stolen(cloud: LocalAws) -> list[str]:
    """What a page has managed to make."""
    queues = cloud.client("sqs").list_queues().get("QueueUrls", [])
    stacks = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    return [*queues, *(stack["StackName"] for stack in stacks)]


def test_every_request_of_the_page_reaches_its_target(page: Page) -> None:
    with site("http://127.0.0.1:1") as target, site(f"http://127.0.0.1:{target.server_port}") as attack:
        page.goto(f"http://{FOREIGN}:{attack.server_port}/")
        target.all_ways.wait(PATIENCE)
    assert target.ways == WAYS


@pytest.mark.parametrize("host", [FOREIGN, "127.0.0.1", "localhost"])
def test_a_page_of_another_origin_changes_nothing(page: Page, cloud: LocalAws, host: str) -> None:
    answered: dict[str, int] = {}

    def tried() -> bool:
        page.wait_for_timeout(20)  # answers are heard meanwhile
        ways = {url.rpartition("-")[2] for url in answered if url.startswith(cloud.endpoint)}
        return ways >= {"iframe", "form", "text", "fetch"}

    with site(cloud.endpoint) as attack:
        page.on("response", lambda response: answered.update({response.url: response.status}))
        page.goto(f"http://{host}:{attack.server_port}/")
        wait_for(tried, "an answer to each way", lambda: len(answered), pause=0)
        page.wait_for_load_state("networkidle")
    assert {status for url, status in answered.items() if url.startswith(cloud.endpoint)} == {403}
    assert stolen(cloud) == []


def test_a_navigation_runs_no_code(page: Page, cloud: LocalAws, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.11",
            "Handler": "index.handler",
            "Role": "arn:aws:iam::000000000000:role/any",
            "Code": {"ZipFile": f"open({str(marker)!r}, 'w').close()\ndef handler(event, context): pass"},
        },
    }
    template = quote(json.dumps({"Resources": {"Function": function}}))
    action = f"/?AWSAccessKeyId=test&Action=CreateStack&StackName=stolen&TemplateBody={template}"
    with site(cloud.endpoint) as attack:
        page.goto(f"http://{FOREIGN}:{attack.server_port}/nothing")
        with page.expect_navigation(url=f"{cloud.endpoint}/**"):
            page.evaluate("url => { location = url }", cloud.endpoint + action)
        assert "AccessDenied" in page.content()
    assert stolen(cloud) == []
    assert not marker.exists()


@pytest.mark.parametrize(
    "path", ["/", "/?Action=ListQueues", "/_ministack/health", "/_seedbed/mail?to=x", "/bucket/key"]
)
def test_a_typed_address_and_a_rebound_name_show_nothing(page: Page, cloud: LocalAws, path: str) -> None:
    port = urlsplit(cloud.endpoint).port
    for host in ("127.0.0.1", FOREIGN):
        answer = page.goto(f"http://{host}:{port}{path}")
        assert answer
        assert answer.status in {400, 403}
