"""The command line itself: quick help, JSON errors, exit codes."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import COMMANDS, main, parser

HEAVY = ("prefect", "polars", "sqlalchemy", "fastapi", "httpx", "numpy", "pydantic")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom flows.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\nassert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([name, "--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "--workspace" in printed
    assert "--json" in printed


def test_a_folder_that_is_no_workspace_is_a_sentence_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segments", "list", "--workspace", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "there is no evenreach.yaml" in printed.err
    assert "evenreach init" in printed.err


def test_an_error_is_json_where_json_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["collect", "--json", "--workspace", str(tmp_path)]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"]
    assert error["remedy"]


def test_init_writes_settings_that_check_finds_well_and_never_overwrites_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "--workspace", str(tmp_path)]) == 0
    from audiences.config import load

    assert set(load(tmp_path / "evenreach.yaml").segments) == {"tier-1", "customers"}
    before = (tmp_path / "evenreach.yaml").read_text()
    assert main(["init", "--workspace", str(tmp_path)]) == 1
    assert (tmp_path / "evenreach.yaml").read_text() == before
    capsys.readouterr()


def test_a_mistake_in_the_settings_names_file_line_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "evenreach.yaml").write_text("workspace: x\nsegmnts:\n  a: {}\n")
    assert main(["segments", "list", "--workspace", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "evenreach.yaml" in error
    assert "2" in error
    assert "segments" in error


def test_hash_prints_the_digest_or_the_reason_and_never_the_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    digest = "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"  Jane.Doe@Example.COM \nnot an address\n{digest}\n"))
    assert main(["hash", "--platform", "linkedin"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[2] == digest
    assert lines[1].startswith("!")
    assert "address" not in lines[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("report --days 0", "'0' is not a whole number from 1 on"),
        ("report --top -3", "'-3' is not a whole number from 1 on"),
        ("page --port 99999", "'99999' is not a port; give a number from 0 to 65535"),
    ],
)
def test_a_number_no_command_can_use_is_refused_where_it_was_typed(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_file_and_a_port_the_system_refuses_are_a_sentence_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["sandbox", "--port", str(taken.getsockname()[1])]) == 1
    assert "choose another port" in capsys.readouterr().err
    assert main(["init", "--workspace", str(tmp_path / "file" / "inside")]) == 1
    error = capsys.readouterr().err
    assert "Not a directory" in error
    assert "name another place" in error


def test_who_stops_a_command_while_it_still_starts_reads_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flows.cli.importlib.import_module", stopped)
    assert main(["recipes"]) == 130
    assert "Nothing is half-applied" in capsys.readouterr().err
