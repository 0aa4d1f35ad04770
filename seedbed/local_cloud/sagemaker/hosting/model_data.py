"""A model on its way from S3 to a container's /opt/ml/model."""

import gzip
import tarfile
import zlib
from pathlib import Path

from ..containers.process import Stop
from ..errors import JobFailure
from ..s3.transfer import DataTransfer
from .plans import ModelData

MOST_BYTES = 64 * 2**30
CHUNK_BYTES = 2**20
MOST_FILES = 1_000_000


def place(data: ModelData, folder: Path, transfer: DataTransfer, stop: Stop) -> None:
    """Puts a model into a folder, which is created; an archive is unpacked. Raises JobFailure."""
    folder.mkdir(parents=True)
    if not data.uri:
        return
    if data.compression == "None" and data.data_type == "S3Prefix":
        transfer.download(data.uri, transfer.finder.find("S3Prefix", data.uri), folder, lambda: stop.reason is not None)
        return
    fetched = folder.with_name("model-data")
    transfer.download(data.uri, transfer.finder.find("S3Prefix", data.uri), fetched, lambda: stop.reason is not None)
    if stop.reason is None:
        archive = fetched / data.uri.rpartition("/")[2]
        if not archive.is_file():
            raise JobFailure(f"ClientError: there is no object {data.uri}.")
        if data.compression == "None":
            archive.rename(folder / archive.name)
        else:
            unpack(archive, folder, data.uri)
        archive.unlink(missing_ok=True)


def unpack(archive: Path, folder: Path, name: str) -> None:
    """Unpacks a .tar.gz. Nothing is written outside the folder. Raises JobFailure.

    name: what the archive is called in messages.
    """
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream) as content:
            size = 0
            for count, member in enumerate(content, 1):
                size += member.size
                if size > MOST_BYTES or count > MOST_FILES:
                    raise JobFailure(f"ClientError: {name} has more than {MOST_FILES:,} files or 64 GiB.")
                content.extract(member, folder, filter="data")
            while stream.read(CHUNK_BYTES):  # an archive that was cut off is noticed at its end alone
                size += CHUNK_BYTES
                if size > MOST_BYTES:
                    raise JobFailure(f"ClientError: {name} has more than 64 GiB.")
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise JobFailure(f"ClientError: {name} can't be unpacked as a .tar.gz: {error}") from error
