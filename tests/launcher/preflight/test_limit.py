import os

from distgrad.launcher.preflight.limit import within
from distgrad.launcher.preflight.result import green


def test_a_check_that_hangs_is_left_behind_and_says_for_whom_it_waited(tmp_path):
    pipe = tmp_path / "server"
    os.mkfifo(pipe)
    result = within(0.2, "disk", "the server", "df", lambda: green("disk", pipe.read_text()))
    assert result.level == "red"
    assert result.text == "no answer within 0.2 s from the server"
    assert result.remedy == "df"
    pipe.write_text("now")  # lets the thread go


def test_an_error_of_the_system_is_a_result(tmp_path):
    missing = tmp_path / "missing"
    result = within(10, "disk", "the disk", "df", lambda: green("disk", missing.read_text()))
    assert result.level == "red"
    assert result.text.startswith("the disk: [Errno 2] No such file or directory")
