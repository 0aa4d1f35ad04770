"""A hundred thousand uploads, a tenth of whose events come twice: one run, nothing lost, few calls."""

from tests.chaos.aftermath import calm_down
from tests.chaos.load import LoadedCloud

UPLOADS = 100_000
A_SECOND = 500


def test_a_hundred_thousand_uploads_become_one_run() -> None:
    cloud = LoadedCloud()

    cloud.upload_many(UPLOADS, A_SECOND, doubled=0.1, seed=1)

    assert cloud.watch.ended == set()
    assert calm_down(cloud) == []
    (run_id,) = cloud.watch.ended
    assert len(cloud.watch.snapshot(run_id)["images"]) == UPLOADS
    assert cloud.watch.told[run_id] == 1
    assert cloud.invoked["note_upload"] == UPLOADS / A_SECOND
    assert sum(cloud.called.values()) < 20 * UPLOADS / 1000
