"""Knows files by how they begin, and says of those that are not taken what to save instead."""

from .safe_reader import Refused

SAVE = "save its images and its labels with numpy.save"
PICTURES = "give the folder of pictures, with one sub-folder per label, to seedbed upload"
STARTS: dict[bytes, tuple[str, str]] = {
    b"\x89HDF\r\n\x1a\n": ("HDF5", f"open it with h5py, and {SAVE}"),
    b"MATLAB 7.3": ("what MATLAB 7.3 wrote", f"open it with h5py, and {SAVE}"),
    b"MATLAB 5.0": ("what MATLAB wrote", f"open it with scipy.io.loadmat, and {SAVE}"),
    b"PAR1": ("a Parquet table", "open it with pandas.read_parquet, and save its columns with numpy.save"),
    b"ARROW1": ("an Arrow table", "open it with pandas.read_feather, and save its columns with numpy.save"),
    b"FEA1": ("a Feather table", "open it with pandas.read_feather, and save its columns with numpy.save"),
    b"SQLite format 3\0": ("a database", SAVE),
    b"%PDF-": ("a PDF", SAVE),
    b"\x89PNG\r\n": ("one picture", PICTURES),
    b"\xff\xd8\xff": ("one picture", PICTURES),
    b"GIF8": ("one picture", PICTURES),
    b"II*\0": ("one picture", f"{PICTURES}, or {SAVE}"),
    b"MM\0*": ("one picture", f"{PICTURES}, or {SAVE}"),
    b"BM": ("one picture", PICTURES),
    b"RIFF": ("a picture, a sound or a film", PICTURES),
    b"\x28\xb5\x2f\xfd": ("a file packed with Zstandard", "unpack it with unzstd"),
    b"\x04\x22\x4d\x18": ("a file packed with LZ4", "unpack it with unlz4"),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", "unpack it, and give the files in it"),
    b"Rar!\x1a\x07": ("a RAR archive", "unpack it, and give the files in it"),
    b"version https://git-lfs": ("a placeholder of Git LFS", "run git lfs pull to get the file itself"),
}
ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
JOBLIB = "load it with joblib.load, and save each array with numpy.save"
WEB_PAGES = (b"<!doctype html", b"<html", b"<?xml")
TAR = slice(257, 262)
SAFETENSORS = slice(8, 10)
HEAD = 512


def check_format(head: bytes) -> None:
    """Raises Refused if a file that begins like this is of a kind that is known and not taken."""
    for start, (kind, advice) in STARTS.items():
        if head.startswith(start):
            raise Refused(f"{kind}: {advice}")
    if head.startswith(ZLIB):
        raise Refused(f"what joblib packed, as it seems: {JOBLIB}")
    if head[TAR] == b"ustar":
        raise Refused("a tar archive: unpack it, and give the files in it")
    if head[SAFETENSORS] == b'{"':
        raise Refused("tensors in the format safetensors: save them with numpy.save, after .numpy()")
    if head.lstrip().lower().startswith(WEB_PAGES):
        raise Refused("a web page or XML: download the file itself again")


def check_text(head: bytes) -> None:
    """Raises Refused if this is the beginning of a text."""
    if b"\0" in head:
        return
    text = head.decode("utf-8", "ignore")
    if len(text) > 0.9 * len(head) and all(letter.isprintable() or letter.isspace() for letter in text):
        raise Refused(
            "text: if it is a table such as CSV, open it with pandas.read_csv, and save its columns with numpy.save"
        )
