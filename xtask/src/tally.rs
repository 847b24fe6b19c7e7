//! Counts what cargo test says while it is shown as it comes.

use std::io::{BufRead, BufReader, Read, Write};

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

/// Copies `from` to `to` at once, line by line, and adds up the lines that close a test binary.
pub(crate) fn follow(from: impl Read, to: &mut impl Write) -> std::io::Result<Tally> {
    let mut from = BufReader::new(from);
    let mut tally = Tally::default();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        if let Some(closing) = closing(&String::from_utf8_lossy(&line)) {
            tally.passed += closing.passed;
            tally.failed += closing.failed;
        }
        line.clear();
    }
    Ok(tally)
}

/// `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
fn closing(line: &str) -> Option<Tally> {
    let (_, counts) = line.trim_end().strip_prefix("test result: ")?.split_once(". ")?;
    let count = |name: &str| {
        let mut parts = counts.split("; ");
        parts.find_map(|part| part.strip_suffix(name)?.trim().parse().ok())
    };
    Some(Tally { passed: count("passed")?, failed: count("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up_and_everything_is_shown() {
        let said = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured\n\
                    noise\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured\nend";
        let mut shown = Vec::new();
        let tally = follow(said.as_bytes(), &mut shown).unwrap();
        assert_eq!((tally, shown.as_slice()), (Tally { passed: 5, failed: 1 }, said.as_bytes()));
    }

    #[test]
    fn a_line_that_only_resembles_one_counts_nothing() {
        for line in [
            "test result: ok",
            "test result: ok. many passed; 0 failed",
            "my test result: ok. 1 passed; 0 failed",
        ] {
            assert_eq!(closing(line), None, "{line}");
        }
    }
}
