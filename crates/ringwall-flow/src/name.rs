//! Names: what a node, a run and a port may be called, and which known name an unknown one was meant to be.
//! Promises: a name that exists is short and printable, so it can stand in a log, a path and an error as it is.

use std::borrow::Borrow;
use std::fmt::{self, Display};

use serde::Serialize;

use crate::error::InvalidName;
use crate::limits::{NAME_CHARS_MAX, RUN_ID_CHARS_MAX};

/// Which node of a workflow.
///
/// Letters, digits, `_` and `-`, beginning with a letter or digit: no dot, so `node.port` has one reading.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct NodeId(String);

impl NodeId {
    /// Accepts a well-formed id.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if is_name(text) { Ok(Self(text.to_owned())) } else { Err(InvalidName::new("node id", text)) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for NodeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Borrow<str> for NodeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Which run of a workflow. The caller gives it, because randomness is the caller's.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// Accepts visible ASCII characters, at most [`RUN_ID_CHARS_MAX`] of them.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && text.len() <= RUN_ID_CHARS_MAX {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName::new("run id", text))
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What [`is_name`] asks for, for hints.
pub(crate) const NAME_RULE: &str =
    "use letters, digits, `_` and `-`, at most 64, beginning with a letter or digit";

pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= NAME_CHARS_MAX
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Splits `node.port`.
pub(crate) fn split_port(text: &str) -> Option<(&str, &str)> {
    let (node, port) = text.split_once('.')?;
    (!node.is_empty() && !port.is_empty()).then_some((node, port))
}

/// `text` in backticks, cut short and with control characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(NAME_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(NAME_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// The candidate that `name` was most likely meant to be; the first of equals.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.chars().nth(NAME_CHARS_MAX).is_some() {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (edits(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed_edits(name, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean` if something is near, else the names there are.
pub(crate) fn hint<'a>(
    name: &str,
    what: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(name, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    let shown: Vec<String> = all.iter().take(LISTED_NAMES_MAX).map(|known| format!("`{known}`")).collect();
    let more = if all.len() > shown.len() { ", …" } else { "" };
    (!shown.is_empty()).then(|| format!("{what}: {}{more}", shown.join(", ")))
}

fn allowed_edits(name: &str, candidate: &str) -> usize {
    (name.len().max(candidate.len()) / 3).max(1)
}

/// Edits between two names: insert, delete, replace, swap of neighbours; case counts for nothing.
fn edits(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, &a) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, &b) in right.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&above, column) + usize::from(a != b);
            let mut best = replaced.min(at(&above, column + 1) + 1).min(at(&current, column) + 1);
            let swapped =
                row > 0 && column > 0 && left.get(row - 1) == Some(&b) && right.get(column - 1) == Some(&a);
            if swapped {
                best = best.min(at(&before, column - 1) + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(0)
}

const LISTED_NAMES_MAX: usize = 8;

#[cfg(test)]
mod tests;
