"""The pages on a run and on two runs, before an API whose answers are given."""

from typing import Any

import pytest

from .client import Client
from .examples import EPOCHS, HOSTILE, RUN_ID, evaluation, health, run, short_run
from .fake_api import FakeApi
from .run_examples import OTHER_ID, comparison, full_run, mistake, plan, searched

PAGE = f"/runs/{RUN_ID}"
ESCAPED = "&lt;script&gt;"


@pytest.fixture
def found(api: FakeApi) -> dict[str, Any]:
    """A run that has completed, with a mistake."""
    given = full_run()
    api.answers["GET /health"] = health()
    api.answers[f"GET {PAGE}"] = given
    files = {"run_id": RUN_ID, "counts": {"mistake": 1}, "files": [mistake(api.link("1.jpg"), api.link("2.jpg"))]}
    api.answers[f"GET {PAGE}/files"] = files
    return given


def test_a_run_is_shown_with_all_its_parts(client: Client, found: dict[str, Any]) -> None:
    page = client.get(PAGE)

    assert page.status == 200
    for part in (
        "78.6%",
        "Confusions",
        "Label by label",
        "most confident mistakes",
        "Under harmless changes",
        "Trials",
    ):
        assert part in page.text
    assert page.text.count('<svg class="chart') == 2


@pytest.mark.parametrize(
    ("wrong", "told"), [(0.028, "of the test photographs; 2.8% of these are wrong"), (None, "of the test photographs<")]
)
def test_a_run_tells_how_much_its_model_is_sure_of(
    api: FakeApi, client: Client, found: dict[str, Any], wrong: float | None, told: str
) -> None:
    assert "Sure of" not in client.get(PAGE).text
    sure = {"images": 14, "sure": 0.869, "wrong": wrong, "unlike": 0.01}
    given = evaluation(when_sure={"error_rate": 0.05, "confidence": 0.8, "test": sure, "changed": None})
    api.answers[f"GET {PAGE}"] = {**found, "evaluation": given}

    page = client.get(PAGE)

    assert "Sure of" in page.text
    assert "86.9%" in page.text
    assert told in page.text


def test_hostile_labels_and_links_stay_text(client: Client, found: dict[str, Any]) -> None:
    page = client.get(PAGE)

    assert ESCAPED in page.text
    assert HOSTILE not in page.text
    assert "javascript:" not in page.text


def test_the_pictures_of_a_mistake_come_from_the_page_itself(client: Client, found: dict[str, Any]) -> None:
    assert client.get(PAGE).text.count('src="/picture?') == 2


def test_a_cell_leads_to_its_photographs(api: FakeApi, client: Client, found: dict[str, Any]) -> None:
    image = {"file": "Maize/1.png", "url": api.link("1.png"), "label": "Maize", "predicted": HOSTILE, "confidence": 0.9}
    answer = {"run_id": RUN_ID, "images": 30, "predictions": [image], "next": "24"}
    api.answers[f"GET {PAGE}/predictions"] = answer
    assert f'href="{PAGE}/images?label=Maize&amp;predicted=%3Cscript' in client.get(PAGE).text

    whole = client.get(f"{PAGE}/images?label=Maize&predicted=%3Cscript%3E")
    part = client.part(f"{PAGE}/images?label=Maize&predicted=Fat+Hen&cursor=24", "more")

    assert api.asked[-2].query == {"label": "Maize", "predicted": "<script>", "limit": "24"}
    assert api.asked[-1].query["cursor"] == "24"
    assert f"30 test photographs of Maize predicted as {ESCAPED}" in whole.text
    assert HOSTILE not in whole.text
    assert "<html" not in part.text
    assert "cursor=24" in part.text


def test_a_run_without_predictions_says_why(api: FakeApi, client: Client, found: dict[str, Any]) -> None:
    api.answers[f"GET {PAGE}/predictions"] = (404, {"message": "The run has no predictions: it is old."})

    answer = client.part(f"{PAGE}/images?label=Maize", "cell")

    assert (answer.status, "it is old" in answer.text) == (404, True)


def test_the_table_of_trials_alone_is_asked_for(client: Client, found: dict[str, Any]) -> None:
    part = client.part(f"{PAGE}?sort=accuracy&order=desc&from.accuracy=75", "trials")

    assert "<html" not in part.text
    assert "2 of 4 trials" in part.text
    assert part.text.index("90.0%") < part.text.index("80.0%")
    assert 'aria-sort="descending"' in part.text


def test_the_table_works_without_scripts(client: Client, found: dict[str, Any]) -> None:
    page = client.get(f"{PAGE}?sort=dropout&status=Completed&to.dropout=0.1")

    assert "2 of 4 trials" in page.text
    assert 'name="to.dropout" type="number" step="any" placeholder="to" value="0.1"' in page.text


def test_a_trial_has_its_learning_curves(api: FakeApi, client: Client, found: dict[str, Any]) -> None:
    name = found["trials"][0]["name"]
    listed = {"run_id": RUN_ID, "state": "Completed", "trials": [{**found["trials"][0], "epochs": EPOCHS}]}
    api.answers[f"GET {PAGE}/trials"] = listed

    page, part = client.get(f"{PAGE}/trials/{name}?head=2"), client.part(f"{PAGE}/trials/{name}?head=x", "curves")

    assert "validation ends at 60.0%" in page.text
    assert "validation ends at 30.0%" in part.text
    assert client.get(f"{PAGE}/trials/unknown").status == 404


def test_a_running_run_is_followed_and_its_page_loads_again_once_it_ends(api: FakeApi, client: Client) -> None:
    api.answers["GET /health"] = health(RUN_ID)
    api.answers[f"GET {PAGE}"] = run("Tuning", plan=plan(), trials=[searched(1, None, status="InProgress")])
    page = client.get(PAGE)
    assert f'id="live" class="stack" hx-get="{PAGE}"' in page.text
    assert "HX-Refresh" not in client.part(PAGE, "live").headers

    api.answers[f"GET {PAGE}"] = run("Stopped", plan=plan())
    assert client.part(PAGE, "live").headers["HX-Refresh"] == "true"


@pytest.mark.parametrize("state", ["Failed", "Refused", "Stopped", "Preparing"])
def test_a_run_without_a_model_reads_well(api: FakeApi, client: Client, state: str) -> None:
    api.answers["GET /health"] = health()
    api.answers[f"GET {PAGE}"] = run(state, reason="It could not be done.")

    page = client.get(PAGE)

    assert page.status == 200
    assert "It could not be done." in page.text
    assert (f"retry {RUN_ID}" in page.text) == (state in {"Failed", "Stopped"})


@pytest.mark.parametrize("labels", [2, 12, 100, 150])
def test_any_number_of_labels_reads_well(api: FakeApi, client: Client, found: dict[str, Any], labels: int) -> None:
    names = [f"label {number}" for number in range(labels)]
    scores = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "images": 5}
    confusion = [[5 * (i == j) for j in range(labels)] for i in range(labels)] if labels <= 100 else []
    given = evaluation(accuracy=1.0, labels=names, confusion=confusion, per_label=dict.fromkeys(names, scores))
    api.answers[f"GET {PAGE}"] = full_run(evaluation=given)
    api.answers[f"GET {PAGE}/files"] = {"run_id": RUN_ID, "counts": {}, "files": []}

    page = client.get(PAGE)

    assert page.status == 200
    assert "is predicted right" in page.text
    assert "most confident mistakes" not in page.text


def test_750_trials_are_one_question_and_a_page_of_them(api: FakeApi, client: Client, found: dict[str, Any]) -> None:
    api.answers[f"GET {PAGE}"] = full_run(750)

    page = client.get(PAGE)

    assert [asked.path for asked in api.asked] == [PAGE, "/health", f"{PAGE}/files"]
    assert page.text.count("<tr") < 150
    assert len(page.content) < 600_000


def test_two_runs_are_compared(api: FakeApi, client: Client, found: dict[str, Any]) -> None:
    other = full_run(run_id=OTHER_ID, hyperparameters={"learning_rate": "0.004"})
    listed = [short_run(), short_run(run_id=OTHER_ID)]
    api.answers["GET /runs"] = {"runs": listed, "pending": None, "next": None}
    api.answers[f"GET /runs/{OTHER_ID}"] = other
    api.answers[f"GET {PAGE}/comparison/{OTHER_ID}"] = comparison(RUN_ID, OTHER_ID)

    page = client.get(f"/compare?a={RUN_ID}&b={OTHER_ID}")

    assert page.status == 200
    assert "+20.0\N{NO-BREAK SPACE}points" in page.text
    assert page.text.count('<table class="matrix') == 2
    assert "learning rate" in page.text
    assert HOSTILE not in page.text
    assert "javascript:" not in page.text


def test_what_cannot_be_compared_is_said(api: FakeApi, client: Client, found: dict[str, Any]) -> None:
    api.answers["GET /runs"] = {"runs": [short_run(), short_run(run_id=OTHER_ID)], "pending": None, "next": None}
    api.answers[f"GET /runs/{OTHER_ID}"] = run("Failed", run_id=OTHER_ID)
    api.answers[f"GET {PAGE}/comparison/{OTHER_ID}"] = (404, {"message": "No image is in both."})

    assert "No image is in both." in client.get(f"/compare?a={RUN_ID}&b={OTHER_ID}").text
    assert "the same run" in client.get(f"/compare?a={RUN_ID}&b={RUN_ID}").text
    assert client.get("/compare").text.count(f'value="{OTHER_ID}"') == 2


def test_before_a_second_model_there_is_nothing_to_compare(api: FakeApi, client: Client) -> None:
    for runs, sentence in (([], "no run with a model"), ([short_run()], "one run with a model so far")):
        api.answers["GET /runs"] = {"runs": runs, "pending": None, "next": None}
        assert sentence in client.get("/compare").text
