//! What can go wrong in storage, in words that every backend shares.

use std::fmt;

/// Why a storage call gave no result.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The queue is full; the same call may succeed in a moment.
    Busy,
    /// A write expected another version; nothing of its batch was written.
    Conflict {
        /// Which record, as `kind/id`.
        key: String,
    },
    /// The input is over a limit; the message names limit and value.
    Limit(String),
    /// A lease is held by a newer owner, so its old fencing number is refused.
    StaleFence {
        /// Which lease.
        name: String,
    },
    /// The disk or quota is full; nothing of the batch was written.
    Full,
    /// The place is not writable.
    ReadOnly(String),
    /// Another process uses the same data.
    InUse(String),
    /// The data was written by a newer ringwall.
    NewerSchema {
        /// Which file.
        file: String,
        /// The version found there.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// Stored data contradicts itself; the message says where.
    Corrupt(String),
    /// The seal refused the batch; the message says why.
    Seal(String),
    /// The store was closed.
    Closed,
    /// The system refused an operation; the message says which.
    Io(String),
}

impl Error {
    /// Stable, machine-readable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "store_busy",
            Self::Conflict { .. } => "version_conflict",
            Self::Limit(_) => "limit_exceeded",
            Self::StaleFence { .. } => "stale_fence",
            Self::Full => "disk_full",
            Self::ReadOnly(_) => "store_read_only",
            Self::InUse(_) => "store_in_use",
            Self::NewerSchema { .. } => "schema_newer",
            Self::Corrupt(_) => "store_corrupt",
            Self::Seal(_) => "seal_failed",
            Self::Closed => "store_closed",
            Self::Io(_) => "store_io",
        }
    }

    /// Whether the same call may succeed later without anybody's help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the store's queue is full; try again"),
            Self::Conflict { key } => write!(f, "record `{key}` was changed by somebody else"),
            Self::Limit(message) => write!(f, "over the limit: {message}"),
            Self::StaleFence { name } => write!(f, "lease `{name}` has a newer owner"),
            Self::Full => f.write_str("the disk is full; free some space, nothing acknowledged is lost"),
            Self::ReadOnly(place) => write!(f, "{place} is not writable; change its owner or mode"),
            Self::InUse(place) => {
                write!(f, "{place} is in use by another ringwall; stop it or name another directory")
            }
            Self::NewerSchema { file, found, known } => write!(
                f,
                "{file} was written by a newer ringwall (format {found}, this one knows {known}); use that version"
            ),
            Self::Corrupt(message) => write!(f, "stored data contradicts itself: {message}"),
            Self::Seal(message) => write!(f, "the log could not be sealed: {message}"),
            Self::Closed => f.write_str("the store is closed"),
            Self::Io(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}
