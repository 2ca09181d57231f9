"""Schema history: in order, whole or not at all, never backwards, and with a copy to return to."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import DatabaseFault, SchemaFromTheFuture
from storage.database import Database
from storage.migrate import copy_path, migrate, migrations_in, statements, version_of

FIRST = "CREATE TABLE a (id INTEGER PRIMARY KEY, text TEXT) STRICT;\nINSERT INTO a VALUES (1, 'old; row');\n"
SECOND = """
-- a comment; with a semicolon
CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a(id)) STRICT;
CREATE TRIGGER b_copies AFTER INSERT ON a BEGIN
  INSERT INTO b (a_id) VALUES (new.id);
  UPDATE a SET text = text || ';' WHERE id = new.id;
END;
INSERT INTO a VALUES (2, 'new');
/* the end; */
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text(FIRST)
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_files_are_applied_in_order_and_once(connection: sqlite3.Connection, path: Path, folder: Path) -> None:
    assert migrate(connection, path, folder) == 1
    (folder / "0002_second.sql").write_text(SECOND)
    assert migrate(connection, path, folder) == 2
    assert migrate(connection, path, folder) == 2
    assert connection.execute("SELECT * FROM a").fetchall() == [(1, "old; row"), (2, "new;")]
    assert connection.execute("SELECT * FROM b").fetchall() == [(1, 2)]  # the trigger is whole
    assert version_of(connection) == 2


def test_a_copy_from_before_is_kept_one_and_private(connection: sqlite3.Connection, path: Path, folder: Path) -> None:
    migrate(connection, path, folder)
    assert not copy_path(path).exists()  # nothing to lose yet
    for number in (2, 3):
        (folder / f"{number:04d}_more.sql").write_text(f"CREATE TABLE t{number} (id INTEGER) STRICT;")
        migrate(connection, path, folder)
        with closing(sqlite3.connect(copy_path(path))) as copy:
            assert version_of(copy) == number - 1
            assert copy.execute("SELECT text FROM a").fetchall() == [("old; row",)]
        assert copy_path(path).stat().st_mode & 0o777 == 0o600
    assert sorted(found.name for found in path.parent.glob("x.db*")) == ["x.db", "x.db.before"]


def test_a_database_from_the_future_is_refused_and_untouched(
    connection: sqlite3.Connection, path: Path, folder: Path
) -> None:
    migrate(connection, path, folder)
    connection.execute("PRAGMA user_version=7")
    before = path.read_bytes()
    with pytest.raises(SchemaFromTheFuture, match="has schema 7, but this Reelay knows only up to 1") as caught:
        migrate(connection, path, folder)
    assert caught.value.facts == {"found": 7, "known": 1}
    assert "restore a backup" in str(caught.value)
    assert path.read_bytes() == before


async def test_open_refuses_the_future_too_and_lets_go(path: Path, folder: Path) -> None:
    await (await Database.open(path, folder)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=2")
    with pytest.raises(SchemaFromTheFuture):
        await Database.open(path, folder)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=1")
    await (await Database.open(path, folder)).close()


@pytest.mark.parametrize(
    "names, message",
    [
        (["0001_a.sql", "0003_c.sql"], "'0003_c.sql' follows a gap: expected number 0002"),
        (["0001_a.sql", "0001_b.sql"], "'0001_b.sql' is there twice"),
        (["0002_b.sql"], "'0002_b.sql' follows a gap: expected number 0001"),
        (["0000_zero.sql"], "'0000_zero.sql' is there twice|expected number 0001"),
        (["0001_a.sql", "2_b.sql"], "'2_b.sql' must be named like"),
        ([], "there are no migrations"),
    ],
)
def test_faulty_numbering_is_refused(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(DatabaseFault, match=message):
        migrations_in(tmp_path)


@pytest.mark.parametrize(
    "word", ["BEGIN", "commit", "ROLLBACK", "PRAGMA user_version=9", "-- now\nVACUUM", "ATTACH 'x' AS y"]
)
def test_a_file_cannot_end_its_own_transaction(word: str) -> None:
    with pytest.raises(DatabaseFault, match="must not contain"):
        list(statements(f"CREATE TABLE z (id); {word}; CREATE TABLE y (id);"))


def test_an_unfinished_statement_is_refused() -> None:
    with pytest.raises(DatabaseFault, match="ends in the middle"):
        list(statements("CREATE TABLE z (id); CREATE TRIGGER t AFTER INSERT ON z BEGIN SELECT 1;"))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE c (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
        "CREATE TABLE c (id INTEGER REFERENCES a(id)) STRICT; INSERT INTO c VALUES (99);",
    ],
    ids=["a statement fails", "a reference dangles"],
)
def test_a_file_that_fails_leaves_nothing_of_itself(
    connection: sqlite3.Connection, path: Path, folder: Path, sql: str
) -> None:
    migrate(connection, path, folder)
    (folder / "0002_second.sql").write_text(sql)
    with pytest.raises((DatabaseFault, sqlite3.Error)):
        migrate(connection, path, folder)
    assert version_of(connection) == 1
    assert tables(connection) == {"a"}
    assert not connection.in_transaction
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


async def test_open_names_the_file_that_failed(path: Path, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("INSERT INTO nowhere VALUES (1);")
    with pytest.raises(DatabaseFault, match="no such table: nowhere") as caught:
        await Database.open(path, folder)
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__notes__ == ["in migration 0002_second.sql"]


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from storage.lane import connect_writer
from storage.migrate import migrate

path, folder, fatal = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
seen = 0

def statement(sql):
    global seen
    seen += 1
    if seen == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

connection = connect_writer(path)
connection.set_trace_callback(statement)
migrate(connection, path, folder)
"""


def test_killed_at_any_statement_the_schema_is_old_or_new(path: Path, folder: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, folder)
    (folder / "0002_second.sql").write_text(SECOND)
    outcomes = []
    for fatal in range(1, 40):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(path), str(folder), str(fatal)],
            check=False,
            capture_output=True,
            timeout=30,
        )
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            version, found = version_of(connection), tables(connection)
            assert (version, found) in [(1, {"a"}), (2, {"a", "b"})]
            rows = connection.execute("SELECT count(*) FROM a").fetchone()[0]
            assert rows == version
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        outcomes.append(version)
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
    assert outcomes[0] == 1
    assert outcomes[-1] == 2
    assert len(outcomes) > 10  # it was killed between all the statements
