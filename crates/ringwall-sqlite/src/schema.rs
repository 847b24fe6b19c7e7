//! Numbered, forward-only migrations; a file that is newer or not ours is refused.

use ringwall_store::{Error, Result};
use rusqlite::Connection;

use crate::error::storage;

/// SQLite's application id of ringwall's files: `RWLL` in ASCII.
const APPLICATION_ID: u32 = 0x5257_4c4c;

/// Migrations of the log. Append only.
pub(crate) const LOG: &[&str] = &["
    CREATE TABLE entries (
        idx    INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        body   BLOB NOT NULL,
        hash   BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE TABLE nodes (
        level INTEGER NOT NULL,
        idx   INTEGER NOT NULL,
        hash  BLOB NOT NULL CHECK (length(hash) = 32),
        PRIMARY KEY (level, idx)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE head (
        only       INTEGER PRIMARY KEY CHECK (only = 1),
        size       INTEGER NOT NULL,
        state      BLOB NOT NULL,
        checkpoint TEXT NOT NULL
    ) STRICT;
"];

/// Migrations of the index. Append only.
pub(crate) const INDEX: &[&str] = &["
    CREATE TABLE terms (
        tenant TEXT NOT NULL,
        field  TEXT NOT NULL,
        value  TEXT NOT NULL,
        idx    INTEGER NOT NULL,
        PRIMARY KEY (tenant, field, value, idx)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE cursor (
        only       INTEGER PRIMARY KEY CHECK (only = 1),
        next       INTEGER NOT NULL,
        first_hash BLOB NOT NULL
    ) STRICT;
"];

/// Migrations of the state. Append only.
pub(crate) const STATE: &[&str] = &["
    CREATE TABLE records (
        tenant  TEXT NOT NULL,
        kind    TEXT NOT NULL,
        id      TEXT NOT NULL,
        version INTEGER NOT NULL,
        body    BLOB NOT NULL,
        PRIMARY KEY (tenant, kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE versions (
        only   INTEGER PRIMARY KEY CHECK (only = 1),
        newest INTEGER NOT NULL
    ) STRICT;
    INSERT INTO versions VALUES (1, 0);
    CREATE TABLE counters (
        tenant  TEXT NOT NULL,
        name    TEXT NOT NULL,
        slices  BLOB NOT NULL,
        over_at INTEGER NOT NULL,
        PRIMARY KEY (tenant, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX counters_over ON counters (over_at);
    CREATE TABLE rates (
        tenant TEXT NOT NULL,
        name   TEXT NOT NULL,
        due    INTEGER NOT NULL,
        PRIMARY KEY (tenant, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX rates_due ON rates (due);
    CREATE TABLE leases (
        tenant  TEXT NOT NULL,
        name    TEXT NOT NULL,
        owner   TEXT NOT NULL,
        fence   INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        PRIMARY KEY (tenant, name)
    ) STRICT, WITHOUT ROWID;
"];

/// Brings the file to the newest format.
pub(crate) fn migrate(connection: &mut Connection, file: &str, migrations: &[&str]) -> Result<()> {
    check(connection, file, migrations)?;
    let known = migrations.len();
    let run = |connection: &mut Connection| {
        let transaction = connection.transaction()?;
        let found: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for migration in migrations.iter().skip(usize::try_from(found).unwrap_or(known)) {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "user_version", u32::try_from(known).unwrap_or(u32::MAX))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()
    };
    run(connection).map_err(|error| storage(file, error))
}

/// Refuses a file that is not ours or newer than this program; an empty one is nobody's yet.
fn check(connection: &Connection, file: &str, migrations: &[&str]) -> Result<()> {
    match marks(connection, file)? {
        (0, 0) => Ok(()),
        marks => check_marks(marks, file, migrations),
    }
}

/// Refuses a file that is not one of ours in a format that this program knows.
pub(crate) fn check_made(connection: &Connection, file: &str, migrations: &[&str]) -> Result<()> {
    check_marks(marks(connection, file)?, file, migrations)
}

fn check_marks((application, found): (u32, u32), file: &str, migrations: &[&str]) -> Result<()> {
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    match application {
        APPLICATION_ID if found <= known => Ok(()),
        APPLICATION_ID => Err(Error::NewerSchema { file: file.to_owned(), found, known }),
        _ => Err(Error::Corrupt(format!("{file} is not a file of ringwall"))),
    }
}

/// Application id and format of a file.
fn marks(connection: &Connection, file: &str) -> Result<(u32, u32)> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    let read = || Ok((pragma("application_id")?, pragma("user_version")?));
    read().map_err(|error| storage(file, error))
}
