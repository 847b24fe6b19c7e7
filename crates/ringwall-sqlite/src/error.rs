//! SQLite's errors in the words of the store.

use ringwall_store::Error;
use rusqlite::ErrorCode;

/// What an SQLite error means to a caller of the store; `place` names the file.
pub(crate) fn storage(place: &str, error: rusqlite::Error) -> Error {
    let code = error.sqlite_error_code();
    match code {
        Some(ErrorCode::DiskFull) => Error::Full,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::ReadOnly(place.to_owned()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::InUse(place.to_owned()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Corrupt(format!("{place}: {error}"))
        }
        _ if matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..)
        ) =>
        {
            Error::Corrupt(format!("{place}: {error}"))
        }
        _ => Error::Io(format!("{place}: {error}")),
    }
}

/// What a file system error means to a caller of the store.
pub(crate) fn file(place: &std::path::Path, error: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    let place = place.display().to_string();
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Error::ReadOnly(place),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full,
        _ => Error::Io(format!("{place}: {error}")),
    }
}
