//! The embedded store keeps every promise of the suite, and those that only a store with files can break.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use ringwall_sqlite::{INDEX_FILE, LOG_FILE, LogReader, STATE_FILE, SqliteStore};
use ringwall_store::{Error, Expect, LogEntry, LogQuery, RecordKey, RecordWrite, Stores, Term, conformance};
use ringwall_types::TenantId;

fn open(directory: &Path) -> Result<SqliteStore, Error> {
    SqliteStore::open(directory, conformance::log_options())
}

fn refusal(directory: &Path) -> Error {
    match open(directory) {
        Ok(_) => panic!("the directory was opened"),
        Err(error) => error,
    }
}

fn entry(body: &str) -> LogEntry {
    LogEntry { tenant: TenantId::initial(), body: body.into() }
}

fn word(value: &str) -> LogQuery {
    let term = Term { field: "word", value: value.to_owned() };
    LogQuery { tenant: TenantId::initial(), term, before: None, limit: 10 }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_every_promise_of_the_suite() {
    let directories = std::sync::Mutex::new(Vec::new());
    conformance::run_all(|| async {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        directories.lock().unwrap().push(directory);
        Stores::of(Arc::new(store))
    })
    .await;
}

#[tokio::test]
async fn a_second_start_goes_on_where_the_first_ended() {
    let directory = tempfile::tempdir().unwrap();
    let key = RecordKey::new(TenantId::initial(), "thing", "1");
    {
        let store = Stores::of(Arc::new(open(directory.path()).unwrap()));
        store.log.append(vec![entry("word=x 0"), entry("1")]).await.unwrap();
        let write = RecordWrite { key: key.clone(), expect: Expect::Absent, body: Some(b"kept".to_vec()) };
        store.records.write(vec![write]).await.unwrap();
    }
    let store = Stores::of(Arc::new(open(directory.path()).unwrap()));
    assert_eq!(store.log.append(vec![entry("word=x 2")]).await.unwrap(), 2..3);
    assert_eq!(store.log.search(word("x")).await.unwrap(), [2, 0]);
    assert_eq!(store.records.read(&[key]).await.unwrap().remove(0).unwrap().body, b"kept");
}

#[tokio::test]
async fn directory_and_files_are_their_owners_alone() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("data");
    let store = Stores::of(Arc::new(open(&directory).unwrap()));
    store.log.append(vec![entry("x")]).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for file in std::fs::read_dir(&directory).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn one_process_at_a_time_uses_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).unwrap();
    assert_eq!(refusal(directory.path()).code(), "store_in_use");
    drop(first);
    assert!(open(directory.path()).is_ok());
}

#[tokio::test]
async fn an_index_that_is_lost_damaged_or_foreign_is_rebuilt() {
    let directory = tempfile::tempdir().unwrap();
    let index = directory.path().join(INDEX_FILE);
    let foreign = tempfile::tempdir().unwrap();
    {
        let other = Stores::of(Arc::new(open(foreign.path()).unwrap()));
        other.log.append(vec![entry("word=other")]).await.unwrap();
    }
    for damage in 0..4 {
        {
            let store = Stores::of(Arc::new(open(directory.path()).unwrap()));
            store.log.append(vec![entry(&format!("word=x {damage}"))]).await.unwrap();
            let expected: Vec<u64> = (0..=damage).rev().collect();
            assert_eq!(store.log.search(word("x")).await.unwrap(), expected);
            assert!(store.log.search(word("other")).await.unwrap().is_empty());
        }
        match damage {
            0 => std::fs::remove_file(&index).unwrap(),
            1 => std::fs::write(&index, b"this is no database, whatever it may look like").unwrap(),
            _ => drop(std::fs::copy(foreign.path().join(INDEX_FILE), &index).unwrap()),
        }
    }
}

#[test]
fn what_is_newer_or_not_ours_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let state = directory.path().join(STATE_FILE);
    let set = |sql: &str| rusqlite::Connection::open(&state).unwrap().execute_batch(sql).unwrap();
    set("PRAGMA user_version = 99");
    let message = refusal(directory.path()).to_string();
    assert!(
        message.contains("state.db was written by a newer ringwall (format 99, this one knows 1)"),
        "{message}"
    );
    set("PRAGMA user_version = 1; PRAGMA application_id = 7");
    let message = refusal(directory.path()).to_string();
    assert!(message.ends_with("state.db is not a file of ringwall"), "{message}");
}

#[tokio::test]
async fn a_log_whose_head_contradicts_its_entries_is_not_appended_to() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = Stores::of(Arc::new(open(directory.path()).unwrap()));
        store.log.append(vec![entry("0"), entry("1")]).await.unwrap();
    }
    let log = rusqlite::Connection::open(directory.path().join(LOG_FILE)).unwrap();
    log.execute("DELETE FROM entries WHERE idx = 1", []).unwrap();
    drop(log);
    assert_eq!(refusal(directory.path()).code(), "store_corrupt");
}

#[tokio::test]
async fn a_log_can_be_read_while_it_is_appended_to() {
    let directory = tempfile::tempdir().unwrap();
    let store = Stores::of(Arc::new(open(directory.path()).unwrap()));
    store.log.append((0..600).map(|number| entry(&number.to_string())).collect()).await.unwrap();
    let reader = LogReader::open(directory.path()).unwrap();
    assert_eq!(reader.head().unwrap().unwrap().size, 600);
    assert_eq!(reader.nodes().unwrap().len(), 2);
    store.log.append(vec![entry("600")]).await.unwrap();
    assert_eq!(reader.read(600, 10).unwrap().len(), 1);
    assert!(LogReader::open(&directory.path().join("nowhere")).is_err());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let message = refusal(&file.join("data")).to_string();
    assert!(message.contains("file/data"), "{message}");
}
