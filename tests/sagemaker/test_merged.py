"""One folder of several hosts, as it is uploaded."""

import tarfile
from collections.abc import Mapping
from pathlib import Path

from seedbed.local_cloud.sagemaker.s3.archive import write_archive
from seedbed.local_cloud.sagemaker.s3.merged import MergedTree
from seedbed.local_cloud.sagemaker.s3.tree import Tree


def merged(folder: Path, hosts: Mapping[str, Mapping[str, str]]) -> MergedTree:
    """The models of hosts. hosts: files and their content, by host."""
    for host, files in hosts.items():
        for name, content in files.items():
            path = folder / host / "model" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return MergedTree({host: Tree(folder / host / "model", folder / host, Path("/")) for host in hosts})


def contents(tree: MergedTree) -> dict[str, str]:
    return {name: path.read_text() for path, name in tree.files()}


def archived(tree: MergedTree, folder: Path) -> list[str]:
    write_archive(tree, folder / "model.tar.gz")
    with tarfile.open(folder / "model.tar.gz") as archive:
        return archive.getnames()


def test_files_of_all_hosts_are_together(tmp_path: Path) -> None:
    tree = merged(tmp_path, {"algo-1": {"a/1": "1"}, "algo-2": {"a/2": "2", "b": "3"}})
    assert contents(tree) == {"a/1": "1", "a/2": "2", "b": "3"}
    assert sorted(archived(tree, tmp_path)) == ["a", "a/1", "a/2", "b"]
    assert tree.left_out == []


def test_the_first_hosts_file_counts_and_the_other_is_told(tmp_path: Path) -> None:
    tree = merged(tmp_path, {"algo-1": {"w": "first"}, "algo-2": {"w": "second"}, "algo-3": {"w": "first"}})
    assert contents(tree) == {"w": "first"}
    assert archived(tree, tmp_path) == ["w"]
    assert tree.left_out == ["algo-2: w, as algo-1 has another file of that name"]


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    tree = merged(tmp_path, {"algo-1": {"w": "a file"}, "algo-2": {"w/deep/inside": "x"}})
    assert archived(tree, tmp_path) == ["w"]
    assert tree.left_out[0] == "algo-2: w, as algo-1 has another file of that name"
    assert any(sentence.startswith("algo-2: w/deep/inside") for sentence in tree.left_out)


def test_links_of_one_target_are_the_same(tmp_path: Path) -> None:
    tree = merged(tmp_path, {"algo-1": {"w": "1"}, "algo-2": {"v": "2"}})
    (tmp_path / "algo-1/model/best").symlink_to("w")
    (tmp_path / "algo-2/model/best").symlink_to("v")
    assert sorted(archived(tree, tmp_path)) == ["best", "v", "w"]
    assert tree.left_out == ["algo-2: best, as algo-1 has another file of that name"]


def test_what_a_host_cannot_upload_is_told_with_its_name(tmp_path: Path) -> None:
    tree = merged(tmp_path, {"algo-1": {"w": "1"}, "algo-2": {"v": "2"}})
    (tmp_path / "algo-2/model/lost").symlink_to("nowhere")
    assert sorted(contents(tree)) == ["v", "w"]
    assert tree.left_out == ["algo-2: lost is a link that leads to nothing (nowhere)"]


def test_one_host_is_not_named(tmp_path: Path) -> None:
    tree = merged(tmp_path, {"algo-1": {"w": "1"}})
    (tmp_path / "algo-1/model/lost").symlink_to("nowhere")
    assert sorted(contents(tree)) == ["w"]
    assert tree.left_out == ["lost is a link that leads to nothing (nowhere)"]
