"""Eleven reviews in the layout of the official archive."""

import io
import tarfile

REVIEWS = {
    "train/neg/0_1.txt": "a bad film<br />",
    "train/neg/1_2.txt": "a very bad film",
    "train/neg/2_1.txt": "bad",
    "train/neg/10_3.txt": "a dull film",
    "train/pos/0_9.txt": "a good film",
    "train/pos/1_8.txt": "good, good film",
    "train/pos/2_9.txt": "née good",
    "train/pos/3_7.txt": "a moving film",
    "test/neg/0_1.txt": "a bad zebra",
    "test/pos/0_10.txt": "a good one",
    "test/pos/1_7.txt": "a film",
}


def add(archive, name, content="text", **attributes):
    """Adds a member; `attributes` are set on it, whatever they are."""
    data = content.encode() if isinstance(content, str) else content
    member = tarfile.TarInfo(name)
    member.size = len(data)
    for key, value in attributes.items():
        setattr(member, key, value)
    archive.addfile(member, io.BytesIO(data))


def with_members(path, *members, reviews=REVIEWS):
    """Writes an archive of the reviews and of further members: (name, content, attributes)."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in reviews.items():
            add(archive, f"aclImdb/{name}", text)
        for name, content, attributes in members:
            add(archive, name, content, **attributes)
    return path
