import pytest

from distgrad.data.sources.files import existing_file, readable
from distgrad.errors import UsageError


def test_a_file_is_found_by_its_name_and_from_home(tmp_path, monkeypatch):
    (tmp_path / "table").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert existing_file("table").name == "table"
    assert existing_file("~/table") == tmp_path / "table"


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = f"none: there is no such file in {tmp_path}, where the run was started; correct"
    with pytest.raises(UsageError, match=message):
        existing_file("none")
    with pytest.raises(UsageError, match=f"^{tmp_path}/none: there is no such file; correct the"):
        existing_file(str(tmp_path / "none"))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageError, match="is a folder, where a file is needed; name a file in it"):
        existing_file(str(tmp_path))


@pytest.mark.parametrize(
    ("error", "reason"),
    [(PermissionError(13, "Permission denied"), "Permission denied"), (OSError("odd"), "odd")],
)
def test_what_cannot_be_read_is_named(tmp_path, error, reason):
    message = rf"table: cannot be read \({reason}\); check the file"
    with pytest.raises(UsageError, match=message), readable(tmp_path / "table"):
        raise error
