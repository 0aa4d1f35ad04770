"""The promises of `ports.Bucket`, kept by S3 and the bucket in memory."""

import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from job_manager.aws.s3 import TEMPORARY, S3Bucket
from job_manager.domain import layout
from job_manager.domain.dataset import DatasetReport, ExcludedFile, SizeRange, Split, take_snapshot
from job_manager.domain.errors import MalformedOutput, NotFound, RunRefused
from job_manager.domain.images.thumbnails import Thumbnails
from job_manager.domain.images.wrong_label import WrongLabel
from job_manager.domain.notifications.plain_text import Message
from job_manager.domain.predictions.prediction import Prediction
from job_manager.domain.ranges import GivenRange
from job_manager.domain.results.scores import ChampionScore, Mistake
from job_manager.wiring import LINKS
from tests.adapters.conftest import BUCKET, KnownBucket
from tests.fakes.world import a_run

ODD_KEYS = [
    "seedlings/Common wheat/a+b 100%.jpg",
    "seedlings/Maize/#1 & 2?.png",
    "seedlings/Maïs/früh.png",
    "seedlings/玉米/苗.png",
]
RUN = a_run()


def test_objects_come_in_key_order_with_etag_and_size(known: KnownBucket) -> None:
    for key in reversed(ODD_KEYS):
        known.put(key, key.encode())

    listed = list(known.bucket.objects())

    assert [stored.key for stored in listed] == sorted(ODD_KEYS)
    for stored in listed:
        assert stored.etag == hashlib.md5(stored.key.encode(), usedforsecurity=False).hexdigest()
        assert stored.size == len(stored.key.encode())


def test_objects_of_runs_and_pretrained_weights_are_left_out(known: KnownBucket) -> None:
    strays = ["a.png", "pretrained", "runs.png", "runs2/x", "zebra/x.png"]
    for key in ("pretrained/a.h5", "runs/x/snapshot.json", "runs/y/\U0010ffff", *strays, *ODD_KEYS):
        known.put(key, b"content")

    assert [stored.key for stored in known.bucket.objects()] == sorted([*strays, *ODD_KEYS])


def test_the_objects_of_runs_cost_no_pages(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for key in ("seedlings/Maize/1.png", "seedlings/Maize/2.png", *(f"runs/x/{i}" for i in range(50))):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"")
    pages: list[str] = []
    client.meta.events.register("before-call.s3.ListObjectsV2", lambda **_: pages.append("page"))

    assert len(list(S3Bucket(client, BUCKET).objects())) == 2
    assert len(pages) == 2


def test_an_empty_bucket_has_no_objects(known: KnownBucket) -> None:
    assert list(known.bucket.objects()) == []


def test_objects_of_all_pages_are_listed(known: KnownBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    for i in range(5):
        known.put(f"seedlings/Maize/{i}.png", b"")

    assert len(list(known.bucket.objects())) == 5


def test_a_key_has_an_address(known: KnownBucket) -> None:
    assert known.bucket.uri("runs/x/").startswith("s3://")
    assert known.bucket.uri("runs/x/").endswith("/runs/x/")


def test_a_snapshot_is_kept_with_its_run_and_changes_no_version(known: KnownBucket) -> None:
    for key in (*ODD_KEYS, "notes.txt"):
        known.put(key, b"content")
    snapshot = take_snapshot(known.bucket.objects())

    known.bucket.write_snapshot(RUN, snapshot)

    assert list(known.bucket.kept_runs()) == [RUN]
    assert list(known.bucket.read_refused(RUN.run_id)) == [ExcludedFile("notes.txt", "not at seedlings/<label>/<file>")]
    assert take_snapshot(known.bucket.objects()) == snapshot


def test_a_folder_without_a_snapshot_is_not_a_run(known: KnownBucket) -> None:
    known.put("runs/left-over/evaluation/model.tar.gz", b"")

    assert list(known.bucket.kept_runs()) == []


def test_the_manifest_lists_the_images_in_sagemakers_format(aws: None) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for key in ODD_KEYS:
        client.put_object(Bucket=BUCKET, Key=key, Body=b"image")
    bucket = S3Bucket(client, BUCKET)

    bucket.write_snapshot(RUN, take_snapshot(bucket.objects()))

    manifest = json.loads(client.get_object(Bucket=BUCKET, Key=layout.manifest(RUN.run_id))["Body"].read())
    assert manifest[0] == {"prefix": f"s3://{BUCKET}/seedlings/"}
    assert [f"seedlings/{name}" for name in manifest[1:]] == sorted(ODD_KEYS)


def test_prepares_report_is_read_as_the_contract_defines_it(known: KnownBucket) -> None:
    report = {
        "images": 480,
        "used": 478,
        "backbone": "efficientnet-lite0",
        "image_size": 224,
        "views": 4,
        "seconds": 31.2,
        "labels": {"Maize": {"train": 28, "validation": 6, "test": 6}},
        "duplicates": [{"file": "Maize/b.png", "reason": "the same image as Maize/a.png"}],
        "refused": [{"file": "Maize/x.jpg", "reason": "not an image: a text file by its content"}],
        "likely_wrong_labels": 3,
        "sizes": [{"least": 150, "most": 4000, "images": 478}],
        "label_sizes": {"Maize": [150, 300, 4000]},
    }
    known.put(layout.dataset_report(RUN.run_id), json.dumps(report).encode())

    assert known.bucket.read_dataset_report(RUN.run_id) == DatasetReport(
        480,
        478,
        {"Maize": Split(28, 6, 6)},
        (ExcludedFile("Maize/b.png", "the same image as Maize/a.png"),),
        (ExcludedFile("Maize/x.jpg", "not an image: a text file by its content"),),
        likely_wrong_labels=3,
        sizes=(SizeRange(150, 4000, 478),),
        label_sizes={"Maize": (150, 300, 4000)},
    )


@pytest.mark.parametrize(
    ("champion", "read"),
    [
        (None, None),
        ({"error": "No model in it."}, ChampionScore(error="No model in it.")),
        (
            {"images": 70, "accuracy": 0.9, "accuracy_interval": [0.81, 0.95], "macro_f1": 0.88},
            ChampionScore(0.9, 0.88, (0.81, 0.95)),
        ),
    ],
)
def test_evaluates_scores_are_read_as_the_contract_defines_them(
    known: KnownBucket, champion: object, read: ChampionScore | None
) -> None:
    scores = {
        "images": 70,
        "accuracy": 0.914,
        "accuracy_interval": [0.83, 0.96],
        "macro_f1": 0.90,
        "labels": ["Maize"],
        "confusion": [[6]],
        "per_label": {"Maize": {"precision": 1.0, "recall": 0.83, "f1": 0.91, "images": 6}},
        "champion": champion,
        "model_sha256": "ab" * 32,
    }
    known.put(layout.scores(RUN.run_id), json.dumps(scores).encode())

    evaluation = known.bucket.read_evaluation(RUN.run_id)

    assert (evaluation.images, evaluation.accuracy, evaluation.confusion) == (70, 0.914, ((6,),))
    assert evaluation.per_label["Maize"].recall == 0.83
    assert evaluation.champion == read
    assert evaluation.model_sha256 == "ab" * 32


@pytest.mark.parametrize("digest", ["", "ab" * 31, "AB" * 32, "g" * 64, "--views=9", "ab" * 32 + "\n"])
def test_an_evaluation_with_an_invalid_digest_is_malformed(known: KnownBucket, digest: str) -> None:
    scores = {"images": 1, "accuracy": 1.0, "accuracy_interval": [0.2, 1.0], "macro_f1": 1.0, "model_sha256": digest}
    known.put(layout.scores(RUN.run_id), json.dumps(scores).encode())

    with pytest.raises(MalformedOutput, match="model_sha256 is not"):
        known.bucket.read_evaluation(RUN.run_id)


def test_evaluates_mistakes_are_read_as_the_contract_defines_them(known: KnownBucket) -> None:
    content = '[{"file": "Maize/d.png", "truth": "Maize", "predicted": "Sugar beet", "confidence": 0.97}]'
    known.put(layout.mistakes(RUN.run_id), content.encode())

    assert known.bucket.read_mistakes(RUN.run_id) == (Mistake("Maize/d.png", "Maize", "Sugar beet", 0.97),)


def test_predictions_are_read_as_the_contract_defines_them(known: KnownBucket) -> None:
    content = '[{"file": "Maize/d.png", "truth": "Maize", "predicted": "Maize", "confidence": 0.97, "content": "1c29"}]'
    known.put(layout.predictions(RUN.run_id), content.encode())

    assert known.bucket.read_predictions(RUN.run_id) == (Prediction("Maize/d.png", "Maize", "Maize", 0.97, "1c29"),)


def test_prepares_wrong_labels_are_read_as_the_contract_defines_them(known: KnownBucket) -> None:
    content = '[{"file": "Maize/f.png", "label": "Maize", "suggested": "Sugar beet", "confidence": 0.98}]'
    known.put(layout.wrong_labels(RUN.run_id), content.encode())

    assert known.bucket.read_wrong_labels(RUN.run_id) == (WrongLabel("Maize/f.png", "Maize", "Sugar beet", 0.98),)


def test_prepares_thumbnails_are_read_as_the_contract_defines_them(known: KnownBucket) -> None:
    content = '{"side": 144, "columns": 20, "files": ["Maize/a.png"], "samples": {"Maize": ["Maize/a.png"]}}'
    known.put(layout.thumbnail_index(RUN.run_id), content.encode())

    thumbnails = known.bucket.read_thumbnails(RUN.run_id)

    assert thumbnails == Thumbnails(144, 20, ("Maize/a.png",), {"Maize": ("Maize/a.png",)})


def test_a_link_is_signed_for_a_quarter_of_an_hour(aws: None) -> None:
    link = urlsplit(S3Bucket(boto3.client("s3", config=LINKS), BUCKET).link("seedlings/Fat Hen/a+b.png"))

    assert link.path.endswith("/seedlings/Fat%20Hen/a%2Bb.png")
    assert parse_qs(link.query)["X-Amz-Expires"] == ["900"]
    assert parse_qs(link.query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]


def test_the_ranges_of_the_search_are_read_and_are_no_upload(known: KnownBucket) -> None:
    assert known.bucket.read_ranges() is None
    for key in ("search-space.json", "search-space.json.png"):
        known.put(key, b'{"heads": {"dropout": {"value": 0.2}}}')

    assert known.bucket.read_ranges() == {"heads": {"dropout": GivenRange(value=0.2)}}
    assert [stored.key for stored in known.bucket.objects()] == ["search-space.json.png"]


def test_ranges_in_a_file_that_is_too_large_are_refused(known: KnownBucket) -> None:
    known.put("search-space.json", b" " * 1_000_000)

    with pytest.raises(RunRefused, match="larger than 64 KiB"):
        known.bucket.read_ranges()


def test_a_missing_object_is_not_found(known: KnownBucket) -> None:
    for read in (known.bucket.read_dataset_report, known.bucket.read_evaluation, known.bucket.read_refused):
        with pytest.raises(NotFound):
            read(RUN.run_id)


@pytest.mark.parametrize("body", [b"", b"not JSON", b'{"images": "many"}', b"\xff\xfe"])
def test_an_unreadable_object_is_named(known: KnownBucket, body: bytes) -> None:
    known.put(layout.dataset_report(RUN.run_id), body)

    with pytest.raises(MalformedOutput, match=r"pack/report\.json can't be read"):
        known.bucket.read_dataset_report(RUN.run_id)


def test_the_outbox_mark_is_set_once_and_for_its_run(known: KnownBucket) -> None:
    assert not known.bucket.has(layout.notified(RUN.run_id))

    known.bucket.mark_notified(layout.notified(RUN.run_id), Message("subject", "body"))

    assert known.bucket.has(layout.notified(RUN.run_id))
    assert not known.bucket.has(layout.notified("sb-ffffffffffffffff-1"))


def test_a_forbidden_object_is_not_taken_for_a_missing_one() -> None:
    client = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error("head_object", "403", http_status_code=403)

        with pytest.raises(ClientError):
            S3Bucket(client, BUCKET).has(layout.notified(RUN.run_id))


def test_only_what_a_run_alone_needed_is_tagged_to_expire(aws: None) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    temporary = [
        f"{layout.features(RUN.run_id)}a.npy",
        f"{layout.trials(RUN.run_id)}t/output/model.tar.gz",
        f"{layout.checkpoints(RUN.run_id)}c",
    ]
    others = [
        layout.model(RUN.run_id),
        layout.record(RUN.run_id),
        layout.mosaic(RUN.run_id),
        f"{layout.trials('sb-2')}t/output/model.tar.gz",
    ]
    for key in (*temporary, *others):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"content")

    S3Bucket(client, BUCKET).let_expire(RUN.run_id)

    tags = {key: client.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"] for key in (*temporary, *others)}
    assert [key for key in tags if tags[key]] == temporary
    assert all(tags[key] == [TEMPORARY] for key in temporary)
