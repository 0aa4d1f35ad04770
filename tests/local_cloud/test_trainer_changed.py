"""A run begins again if Seedbed is upgraded while it is in progress."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seedbed.bundle import CONTAINER
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.notifications.kept import text_of
from seedbed.local_cloud.parameters import LAPTOP
from seedbed.local_cloud.process import served
from seedbed.stack import local_stack
from tests.local_cloud.conftest import LITTLE, LittleCloud


@contextmanager
def up_with(trainer: Path, home: Home) -> Iterator[LittleCloud]:
    """A local cloud whose jobs run the trainer in this folder."""
    options = ["--parameters", json.dumps({**LAPTOP, **LITTLE}), "--image", f"seedbed-trainer={trainer}"]
    with served(home, 0, options) as answers:
        yield LittleCloud(home, local_stack(answers))


def test_a_run_whose_trainer_is_changed_begins_again(tmp_path: Path) -> None:
    home, trainer = Home(tmp_path / "seedbed"), tmp_path / "training_container"
    shutil.copytree(CONTAINER, trainer, ignore=shutil.ignore_patterns("__pycache__"))
    with up_with(trainer, home) as cloud:
        cloud.put_images(range(48))
        cloud.wait_for(lambda: [run for run in cloud.runs() if run["state"] == "Tuning"], "a run that tunes")
    with (trainer / "trainer" / "views.py").open("a") as views:
        views.write("\n# turned the other way round\n")
    with up_with(trainer, home) as cloud:
        first, second = cloud.wait_for(lambda: cloud.runs()[1:] and cloud.runs(), "the run that begins again")
        [mail] = cloud.mails(1)
        said = "The trainer was changed while the run was in progress. It begins again."
        assert (first["state"], first["reason"]) == ("Failed", said)
        assert said in text_of(mail)
        assert second["run_id"] == f"{first['run_id'].removesuffix('-1')}-2"
