"""The page on the best model: at a glance, to take, to try, and over time."""

import hashlib
import io
import tarfile
import zipfile
from typing import Any

import msgspec
import pytest

from seedbed.dashboard.answers.models import Model
from seedbed.dashboard.answers.predictions import Prediction
from seedbed.dashboard.answers.runs import Run
from seedbed.dashboard.views import models as view
from seedbed.dashboard.views import predictions

from . import examples
from .client import Client
from .fake_api import FakeApi

ADDRESS = f"/runs/{examples.RUN_ID}"
BEAT = {"champion_before": "sb-000000000000000f-1", "champion": {"accuracy": 0.75, "macro_f1": 0.7}}


def best(run: dict[str, Any] | None = None, **more: Any) -> view.Best:
    made = run or examples.run(evaluation=examples.evaluation())
    return view.best(msgspec.convert(examples.model(**more), Model), msgspec.convert(made, Run))


def test_a_model_is_told_at_a_glance() -> None:
    shown = best()
    assert (shown.accuracy, shown.interval, shown.test_images) == ("78.6%", "52.4% to 92.4%", "14")
    assert (shown.changes, shown.weakest) == ("69.9%", "farther away: 28.6%")
    assert shown.images == "118"


def test_few_test_images_are_a_caution() -> None:
    assert "Only 14 test images" in best().caution
    assert best(examples.run(evaluation=examples.evaluation(images=616))).caution == ""


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (0.75, "75.0% of the same images right, 3.6 points fewer."),
        (0.786, "right, as many."),
        (0.8, ", 1.4 points more."),
    ],
)
def test_what_a_model_beat_is_told_on_the_same_images(theirs: float, said: str) -> None:
    champion = {"accuracy": theirs, "macro_f1": 0.7}
    assert best(champion_before="sb-000000000000000f-1", champion=champion).beat.endswith(said)


def test_the_first_model_and_one_that_could_not_be_scored_are_told() -> None:
    assert best().beat == view.FIRST
    unscored = best(champion_before="sb-000000000000000f-1", champion={"error": "its file is gone"}).beat
    assert unscored == "The one before it, sb-000000000000000f-1, could not be scored: its file is gone"


def test_only_formats_that_were_made_can_be_taken() -> None:
    assert [(form.format, form.size) for form in best().forms] == [("keras", ""), ("onnx", "14.0\u00a0MB")]


def test_a_format_of_a_later_release_is_left_out() -> None:
    exports = [{"format": examples.HOSTILE, "files": {"a": "b"}}]
    assert [form.format for form in best(examples.run(evaluation=examples.evaluation(exports=exports))).forms] == [
        "keras"
    ]


def show(api: FakeApi, *models: dict[str, Any], more: str | None = None) -> None:
    """Let the API have these models, the best first."""
    api.answers["GET /models"] = {"models": models, "next": more}
    api.answers[f"GET {ADDRESS}"] = examples.run(evaluation=examples.evaluation())


def test_the_page_shows_the_model_its_formats_and_its_history(api: FakeApi, client: Client) -> None:
    show(api, examples.model(**BEAT), examples.model(run_id="sb-000000000000000f-1"), more="sb-000000000000000f-1")
    text = client.get("/models").text
    assert "3.6 points fewer" in text
    assert f'href="{ADDRESS}/model/onnx"' in text
    assert "model --format onnx" in text
    assert 'href="/models?cursor=sb-000000000000000f-1"' in text


def test_older_models_are_history_alone(api: FakeApi, client: Client) -> None:
    show(api, examples.model())
    text = client.get("/models?cursor=sb-000000000000000f-1").text
    assert api.asked[0].query["cursor"] == "sb-000000000000000f-1"
    assert "Earlier best models" in text
    assert "Try it" not in text


def test_without_a_model_the_page_says_how_to_get_one(api: FakeApi, client: Client) -> None:
    show(api)
    assert "No model yet" in client.get("/models").text


def archive(**files: bytes) -> bytes:
    """A model's archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def keep_model(api: FakeApi, exports: dict[str, bytes], format_: str) -> None:
    """Put a model with one export into the bucket."""
    packed = archive(model_keras=b"keras", model_json=b"{}")
    folder = f"runs/{examples.RUN_ID}/"
    api.files[f"{folder}model.tar.gz"] = packed
    api.files |= {folder + name: content for name, content in exports.items()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in exports.items()}
    api.answers[f"GET {ADDRESS}"] = examples.run(
        model_uri=f"s3://bucket/{folder}model.tar.gz",
        model_sha256=hashlib.sha256(packed).hexdigest(),
        evaluation=examples.evaluation(exports=[{"format": format_, "files": digests}]),
    )


def test_each_format_is_downloaded_under_its_name(api: FakeApi, client: Client) -> None:
    keep_model(api, {"exports/onnx/model.onnx": b"onnx"}, "onnx")
    onnx, keras = client.get(f"{ADDRESS}/model/onnx"), client.get(f"{ADDRESS}/model/keras")
    assert (onnx.content, keras.content) == (b"onnx", b"keras")
    assert onnx.headers["content-disposition"] == f'attachment; filename="{examples.RUN_ID}-model.onnx"'


def test_a_saved_model_is_a_zip_file(api: FakeApi, client: Client) -> None:
    files = {"exports/saved_model/saved_model.pb": b"graph", "exports/saved_model/variables/v": b"1"}
    keep_model(api, files, "saved_model")
    answer = client.get(f"{ADDRESS}/model/saved_model")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert {name for name in packed.namelist() if not name.endswith("/")} == {"saved_model.pb", "variables/v"}


def test_a_changed_file_is_not_passed_on(api: FakeApi, client: Client) -> None:
    keep_model(api, {"exports/onnx/model.onnx": b"onnx"}, "onnx")
    api.files[f"runs/{examples.RUN_ID}/exports/onnx/model.onnx"] = b"other"
    answer = client.get(f"{ADDRESS}/model/onnx")
    assert (answer.status, "is not the file that was recorded" in answer.text) == (404, True)


@pytest.mark.parametrize("name", ["litert", "pickle", "..%2F"])
def test_a_format_that_is_not_there_is_a_sentence(api: FakeApi, client: Client, name: str) -> None:
    keep_model(api, {"exports/onnx/model.onnx": b"onnx"}, "onnx")
    answer = client.get(f"{ADDRESS}/model/{name}")
    assert answer.status == 404
    assert "<h1>That did not work</h1>" in answer.text


def test_a_report_is_shown_without_scripts(api: FakeApi, client: Client) -> None:
    api.files["runs/a/report.html"] = b"<h1>Report</h1><script>alert(1)</script>"
    api.answers[f"GET {ADDRESS}"] = examples.run(report_uri="s3://bucket/runs/a/report.html")
    answer = client.get(f"{ADDRESS}/report")
    assert answer.content == api.files["runs/a/report.html"]
    assert answer.headers["content-security-policy"].startswith("sandbox allow-popups; default-src 'none'")


def test_a_run_without_a_report_says_so(api: FakeApi, client: Client) -> None:
    api.answers[f"GET {ADDRESS}"] = examples.run("Failed")
    assert "has no report: its state is Failed." in client.get(f"{ADDRESS}/report").text


def form_of(content: bytes, name: str = "photo") -> tuple[bytes, str]:
    """A form with a photograph, and its content type."""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{examples.HOSTILE[:-1]}"\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


def ask(client: Client, content: bytes = b"a photograph", name: str = "photo") -> Any:
    body, kind = form_of(content, name)
    return client.post("/predictions", body, Content_Type=kind, HX_Request="true", HX_Target="said")


def test_a_photograph_is_sent_on_as_it_is(api: FakeApi, client: Client) -> None:
    label = examples.HOSTILE
    found = {"label": label, "confidence": 0.91, "probabilities": {"Maize": 0.09, label: 0.91}}
    api.answers["POST /predictions"] = {"predictions": [found]}
    answer = ask(client)
    assert (api.asked[0].body, api.asked[0].headers["content-type"]) == (b"a photograph", "application/octet-stream")
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text
    assert "probability 91.0%" in answer.text
    assert answer.text.index("91.0%") < answer.text.index("9.0%")


@pytest.mark.parametrize(
    ("confidence", "told", "doubt"),
    [
        (0.3, {}, predictions.UNLIKELY),
        (0.6, {}, ""),
        (0.6, {"sure": True}, ""),
        (0.6, {"sure": False, "reason": "confidence"}, predictions.DOUBTFUL),
        (0.6, {"sure": False, "reason": "unlike"}, predictions.UNLIKE),
    ],
)
def test_a_model_that_is_not_sure_says_why(confidence: float, told: dict[str, Any], doubt: str) -> None:
    found = Prediction(label="Maize", confidence=confidence, probabilities={"Maize": confidence}, **told)
    assert predictions.said(found).doubt == doubt


def test_a_photograph_unlike_the_learnt_ones_is_shown_without_a_probability(api: FakeApi, client: Client) -> None:
    found = {"label": "Maize", "confidence": 0.54, "sure": False, "reason": "unlike", "probabilities": {"Maize": 0.54}}
    api.answers["POST /predictions"] = {"predictions": [found]}
    answer = ask(client)
    assert "unlike those that the model learnt from" in answer.text
    assert "probability" not in answer.text.replace("probabilities", "")
    assert "54.0%" not in answer.text


@pytest.mark.parametrize(("content", "name"), [(b"", "photo"), (b"x", "other")])
def test_a_form_without_a_photograph_is_a_sentence(client: Client, content: bytes, name: str) -> None:
    answer = ask(client, content, name)
    assert (answer.status, "Choose a photograph first." in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("status", "message"), [(404, "Not Found"), (404, "There is nothing here. GET …"), (501, ""), (405, "")]
)
def test_an_api_that_does_not_predict_is_a_sentence(api: FakeApi, client: Client, status: int, message: str) -> None:
    api.answers["POST /predictions"] = (status, {"message": message})
    assert "does not answer predictions" in ask(client).text


def test_what_the_api_says_of_a_photograph_is_shown(api: FakeApi, client: Client) -> None:
    api.answers["POST /predictions"] = (415, {"message": "This is not an image: send a PNG or JPEG."})
    assert "This is not an image: send a PNG or JPEG." in ask(client).text
