"""Signed requests with images → predictions of the best model."""

import base64
import io
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from job_manager.aws.http import PROBLEM
from job_manager.domain import layout
from job_manager.domain.results.scores import Export
from job_manager.domain.run import Run
from predictor import wiring
from tests.contract.openapi import check_answer
from tests.handlers.deployed import Deployed, Event
from tests.handlers.onnx_models import LABELS, SIZE, facts, network, publish
from trainer.answering.averages import average_probabilities, predict_views
from trainer.decoding.images import decode_image, resize

KEY = "seedlings/Maize/1.png"
Ask = Callable[..., Any]


def picture(colour: tuple[int, int, int] = (200, 40, 30), size: tuple[int, int] = (31, 23), kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, kind)
    return content.getvalue()


RED, BLUE = picture(), picture((10, 20, 250), kind="JPEG")


@pytest.fixture
def champion(deployed: Deployed, ended: Run) -> Run:
    return publish(deployed, ended, network(), facts())


@pytest.fixture
def ask(deployed: Deployed, event: Callable[[str], Event]) -> Ask:
    """Asks the function, and gives the status and the content of its answer; of a problem its sentence."""

    def asked(body: bytes | str, kind: str = "image/png", views: str = "", **headers: str) -> tuple[int, Any]:
        request = event("api_stop_run")
        request["rawPath"] = "/predictions"
        request["requestContext"]["http"]["path"] = "/predictions"
        request["headers"] |= {"content-type": kind, **headers}
        request["queryStringParameters"] = {"views": views} if views else {}
        text = body if isinstance(body, str) else base64.b64encode(body).decode()
        request |= {"body": text, "isBase64Encoded": isinstance(body, bytes)}
        answer = deployed.invoke("Predictions", request)
        if answer["headers"]["Content-Type"] == "text/csv":
            return answer["statusCode"], answer["body"]
        check_answer("POST", "/predictions", answer)
        content = json.loads(answer["body"])
        if answer["statusCode"] == 200:
            return 200, content["predictions"]
        assert answer["headers"]["Content-Type"] == PROBLEM
        return answer["statusCode"], content["detail"]

    return asked


def in_json(*images: bytes) -> str:
    return json.dumps({"images": [base64.b64encode(image).decode() for image in images]})


def form(*images: bytes) -> bytes:
    parts = [b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nnothing']
    parts += [b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + image for image in images]
    return b"\r\n".join([*parts, b"--x--\r\n"])


def test_an_image_is_answered_as_serve_answers(ask: Ask, champion: Run) -> None:
    status, (prediction,) = ask(RED)

    assert status == 200
    assert list(prediction) == ["label", "confidence", "sure", "reason", "probabilities"]
    assert (prediction["sure"], prediction["reason"]) == (None, None)
    assert prediction["label"] == "Red"
    assert prediction["confidence"] == max(prediction["probabilities"].values())
    assert tuple(prediction["probabilities"]) == LABELS


def test_an_answer_says_whether_the_model_is_sure_of_it(deployed: Deployed, ended: Run, ask: Ask) -> None:
    thresholds = {"confidence": 0.4, "error_rate": 0.05, "false_alarm_rate": 0.02}
    publish(deployed, ended, network(distance=True), facts(thresholds=thresholds))
    grey, white = picture((80, 80, 80)), picture((255, 255, 250))

    _, (sure, low, unlike) = ask(in_json(RED, grey, white), "application/json")

    assert list(sure) == ["label", "confidence", "sure", "reason", "probabilities"]
    assert (sure["sure"], sure["reason"]) == (True, None)
    assert (low["sure"], low["reason"]) == (False, "confidence")
    assert (unlike["sure"], unlike["reason"]) == (False, "unlike")
    assert ask(RED, accept="text/csv")[1].splitlines()[1].endswith(",sure")


def test_an_image_unlike_the_learnt_ones_has_no_high_probability(deployed: Deployed, ended: Run, ask: Ask) -> None:
    pink = picture((255, 180, 180))
    publish(deployed, ended, network(50.0), facts())
    _, (before,) = ask(pink)
    publish(deployed, replace(ended, run_id=f"{ended.run_id[:-1]}2"), network(50.0, distance=True), facts())
    _, (after,) = ask(pink)

    assert before["confidence"] > 0.99
    assert (after["label"], after["sure"], after["reason"]) == ("Red", False, "unlike")
    assert after["confidence"] < 0.67


@pytest.mark.parametrize("thresholds", ["high", 5, {"confidence": "high"}, []])
def test_thresholds_that_can_not_be_read_are_a_problem(
    deployed: Deployed, ended: Run, ask: Ask, thresholds: object
) -> None:
    publish(deployed, ended, network(), facts(thresholds=thresholds))
    assert ask(RED)[0] == 502


@pytest.mark.parametrize("views", ["", "1", "8"])
def test_an_image_becomes_the_same_numbers_as_for_training(ask: Ask, champion: Run, views: str) -> None:
    noise = io.BytesIO()
    Image.effect_noise((90, 40), 80).convert("RGB").save(noise, "PNG")
    pixels = resize(decode_image(io.BytesIO(noise.getvalue())), SIZE)[None]

    def colours(images: Any) -> Any:
        logits = images.astype(np.float32).mean(axis=(1, 2)) / 255
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    expected = average_probabilities(predict_views(colours, pixels, int(views or 2)))[0]
    _, (prediction,) = ask(noise.getvalue(), views=views)

    assert list(prediction["probabilities"].values()) == pytest.approx(expected.tolist(), abs=2e-6)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(in_json(RED, BLUE), "application/json"), (form(RED, BLUE), "multipart/form-data; boundary=x")],
    ids=["JSON", "form"],
)
def test_several_images_are_answered_in_their_order(ask: Ask, champion: Run, body: bytes | str, kind: str) -> None:
    _, predictions = ask(body, kind)

    assert [prediction["label"] for prediction in predictions] == ["Red", "Blue"]


def test_images_of_the_bucket_are_named_by_their_keys(ask: Ask, deployed: Deployed, champion: Run) -> None:
    deployed.put(KEY, RED)
    deployed.put("seedlings/Maize/2 ä.jpg", BLUE)

    _, (one,) = ask(json.dumps({"key": KEY}), "application/json")
    _, both = ask(json.dumps({"keys": ["seedlings/Maize/2 ä.jpg", KEY]}), "application/json")

    assert one["label"] == "Red"
    assert [prediction["label"] for prediction in both] == ["Blue", "Red"]


@pytest.mark.parametrize(
    "key",
    [
        "runs/sb-3f9c1b7a5d2e8046-1/record.json",
        "seedlings/../runs/x",
        "seedlings/Maize/../../runs/x",
        "seedlings//x",
        "seedlings/./x",
        "seedlings/a\\..\\x",
        "seedlings/a\nb",
        "s3://another/seedlings/a/b.png",
        "/etc/passwd",
        "seedlings/" + "x" * 1100,
        "",
    ],
)
def test_other_keys_are_refused(ask: Ask, champion: Run, key: str) -> None:
    status, detail = ask(json.dumps({"key": key}), "application/json")

    assert status == 400
    assert detail.endswith('or up to 128 as "keys".')


def test_an_image_that_is_not_in_the_bucket_is_a_404(ask: Ask, champion: Run) -> None:
    status, detail = ask(json.dumps({"key": KEY}), "application/json")

    assert (status, detail) == (404, f"There is no image {KEY} in the bucket: check how its key is spelt.")


def test_labels_can_be_asked_for_as_csv(ask: Ask, champion: Run) -> None:
    assert ask(RED, accept="text/csv")[1].startswith("label,confidence,sure\nRed,0.")


def bomb() -> bytes:
    """A PNG of 100 megapixels in some kilobytes."""
    content = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b"", "image/png", 400, "The image can't be used: it is empty."),
        (RED[:60], "image/png", 400, "copy the file again"),
        (BLUE[:200], "image/jpeg", 400, "copy the file again"),
        (b"<html><body>hello</body></html>", "image/png", 400, "a web page"),
        (b"<html>", "text/html", 415, "send an image as image/jpeg"),
        (bomb(), "image/png", 400, "too large: at most 60 megapixels are read here."),
        (in_json(RED, b"nothing", RED), "application/json", 400, "Image 2 of 3 can't be used"),
        (in_json(*[RED] * 129), "application/json", 400, "send at most 128 in a request"),
        (form(*[RED] * 129), "multipart/form-data; boundary=x", 400, "send at most 128 in a request"),
        (b"x" * 7_000_000, "image/png", 413, 'send its key instead: {"key": "seedlings/<label>/<file>"}.'),
        ('{"keys": []}', "application/json", 400, "A key names an image"),
        (json.dumps({"keys": ["seedlings/a/b"] * 129}), "application/json", 400, "A key names an image"),
        ('{"key": 3}', "application/json", 400, "A key names an image"),
        ("{", "application/json", 400, "can't be read as JSON"),
        ("[" * 100_000, "application/json", 400, "can't be read as JSON"),
    ],
)
@pytest.mark.usefixtures("champion")
def test_what_can_not_be_answered_is_a_sentence(
    ask: Ask, body: bytes | str, kind: str, status: int, reason: str
) -> None:
    found, detail = ask(body, kind)

    assert (found, reason in detail) == (status, True), detail


def test_thirty_images_at_once_are_answered(ask: Ask, champion: Run) -> None:
    _, predictions = ask(in_json(*[RED, BLUE] * 15), "application/json", views="1")

    assert [prediction["label"] for prediction in predictions] == ["Red", "Blue"] * 15


def test_a_compressed_bomb_is_refused(ask: Ask, champion: Run) -> None:
    status, detail = ask(zlib.compress(bytes(30_000_000)), **{"content-encoding": "deflate"})

    assert (status, "once decompressed" in detail) == (413, True)


@pytest.mark.parametrize("views", ["0", "9", "-1", "two", "1.0", "1" * 50])
def test_another_number_of_views_is_refused(ask: Ask, champion: Run, views: str) -> None:
    status, detail = ask(RED, views=views)

    assert (status, detail.startswith("`views` is a number from 1 to 8.")) == (400, True)


def test_without_a_model_there_is_a_sentence(ask: Ask) -> None:
    assert ask(RED) == (404, "There is no model yet. Upload labelled images and wait for the first run.")


def test_a_model_that_was_not_exported_as_onnx_is_a_sentence(ask: Ask, deployed: Deployed, ended: Run) -> None:
    assert ended.evaluation
    run = replace(ended, evaluation=replace(ended.evaluation, exports=(Export("litert"),)))
    deployed.runs.create(replace(run, champion_before=None, won=True))

    status, detail = ask(RED)

    assert (status, "Add onnx to the parameter Exports" in detail) == (404, True)


def test_a_file_that_is_not_the_one_recorded_is_a_sentence(ask: Ask, deployed: Deployed, champion: Run) -> None:
    deployed.put(f"{layout.evaluation(champion.run_id)}exports/model.onnx", network(2.0))

    status, detail = ask(RED)

    assert (status, "is not the one that its run recorded. Restore it" in detail) == (502, True)


def test_a_network_that_takes_other_images_is_a_sentence(ask: Ask, deployed: Deployed, ended: Run) -> None:
    publish(deployed, ended, network(size=SIZE + 1), facts())

    status, detail = ask(RED)

    assert (status, "model.json does not describe its model.onnx" in detail) == (502, True)


def test_a_new_champion_is_noticed_and_the_same_files_are_not_fetched_again(
    ask: Ask, deployed: Deployed, ended: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(deployed, ended, network(), facts())
    (before,) = ask(RED)[1]
    s3 = wiring.service()._current._s3
    fetched: list[str] = []
    get = s3.get_object

    def noted(**asked: Any) -> Any:
        fetched.append(asked["Key"])
        return get(**asked)

    monkeypatch.setattr(s3, "get_object", noted)

    again = publish(deployed, replace(ended, run_id="sb-00000000000000aa-1"), network(), facts())
    (same,) = ask(RED)[1]
    assert (same, fetched) == (before, [])

    other = publish(deployed, replace(again, run_id="sb-00000000000000bb-1"), network(9.0), facts())
    (after,) = ask(RED)[1]
    assert after["confidence"] > before["confidence"]
    assert {key.split("/")[1] for key in fetched} == {other.run_id}
