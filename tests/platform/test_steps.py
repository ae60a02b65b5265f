import pytest

from bin.steps import Stamp, StepError, run


@pytest.fixture
def files(tmp_path):
    source, output = tmp_path / "source", tmp_path / "output"
    source.write_text("one")
    output.write_text("made")
    return source, output


def make_stamp(tmp_path, files):
    return Stamp("step", inputs=[files[0]], outputs=[files[1]], folder=tmp_path / "stamps")


def test_stamp_before_first_write(tmp_path, files):
    assert not make_stamp(tmp_path, files).is_fresh()


def test_stamp_is_fresh_until_an_input_changes(tmp_path, files):
    make_stamp(tmp_path, files).write()

    assert make_stamp(tmp_path, files).is_fresh()

    files[0].write_text("two")

    assert not make_stamp(tmp_path, files).is_fresh()


def test_stamp_with_an_output_gone(tmp_path, files):
    make_stamp(tmp_path, files).write()
    files[1].unlink()

    assert not make_stamp(tmp_path, files).is_fresh()


def test_run_names_a_missing_program():
    with pytest.raises(
        StepError, match=r"^no-such-program could not be started: No such file or directory\.$"
    ):
        run(["no-such-program"])


def test_run_shows_the_output_of_a_quiet_failure(capsys):
    with pytest.raises(StepError, match=r"^This command failed with exit code 3: sh -c echo why; exit 3$"):
        run(["sh", "-c", "echo why; exit 3"], quiet=True)

    assert capsys.readouterr().err == "why\n"
