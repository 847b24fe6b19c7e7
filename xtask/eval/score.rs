//! Expected against found: cases, correct ones, precision, recall.
//!
//! A case is one thing that the data set states. What is expected and found is a true positive, what is only found a
//! false one, what is only expected a miss; where the set says that something must be refused, a refusal is correct
//! and neither raises nor lowers precision and recall.

use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};
use std::path::Path;

use serde_json::{Value, json};

/// How many differences a row names.
const NAMED_MAX: usize = 5;

/// All rows of a data set.
#[derive(Default)]
pub(crate) struct Score {
    rows: Vec<Row>,
}

/// One question about the data set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    name: String,
    cases: u64,
    correct: u64,
    hits: u64,
    extra: u64,
    missed: u64,
    notes: Vec<String>,
    /// Reported for information: the set states no truth for exactly this.
    aside: bool,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A row that does not count in the totals, and why.
    pub(crate) fn aside(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self { name: name.into(), aside: true, notes: vec![why.into()], ..Self::default() }
    }

    /// One value that the set states.
    pub(crate) fn equal<T: Display + PartialEq>(mut self, what: &str, expected: T, found: T) -> Self {
        let is_correct = expected == found;
        self.count(is_correct, is_correct, !is_correct, !is_correct);
        if !is_correct {
            self.note(format!("{what}: expected {expected}, found {found}"));
        }
        self
    }

    /// A set of things that the set states.
    pub(crate) fn sets(mut self, expected: &BTreeSet<String>, found: &BTreeSet<String>) -> Self {
        for both in expected.union(found) {
            let (is_expected, is_found) = (expected.contains(both), found.contains(both));
            self.count(is_expected && is_found, is_expected && is_found, is_found && !is_expected, !is_found);
            if !is_found {
                self.note(format!("missed {both}"));
            } else if !is_expected {
                self.note(format!("extra {both}"));
            }
        }
        self
    }

    /// Something that must be accepted or must be refused.
    pub(crate) fn verdict(&mut self, name: &str, must_accept: bool, refusal: Option<String>) {
        let accepts = refusal.is_none();
        self.count(
            accepts == must_accept,
            accepts && must_accept,
            accepts && !must_accept,
            !accepts && must_accept,
        );
        match refusal {
            None if !must_accept => self.note(format!("{name}: accepted, must be refused")),
            Some(why) if must_accept => self.note(format!("{name}: refused ({why}), must be accepted")),
            _ => {}
        }
    }

    fn count(&mut self, correct: bool, hit: bool, extra: bool, missed: bool) {
        self.cases += 1;
        self.correct += u64::from(correct);
        self.hits += u64::from(hit);
        self.extra += u64::from(extra);
        self.missed += u64::from(missed);
    }

    fn note(&mut self, text: String) {
        match self.notes.len() {
            NAMED_MAX => self.notes.push("…".to_owned()),
            0..NAMED_MAX => self.notes.push(text),
            _ => {}
        }
    }

    fn precision(&self) -> f64 {
        share(self.hits, self.hits + self.extra)
    }

    fn recall(&self) -> f64 {
        share(self.hits, self.hits + self.missed)
    }

    fn f1(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name, "cases": self.cases, "correct": self.correct, "true_positives": self.hits,
            "false_positives": self.extra, "false_negatives": self.missed, "precision": self.precision(),
            "recall": self.recall(), "f1": self.f1(), "in_totals": !self.aside, "notes": self.notes,
        })
    }
}

/// Nothing expected and nothing found is perfect.
fn share(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are small")]
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

impl Score {
    pub(crate) fn add(&mut self, row: Row) {
        if row.cases > 0 || row.aside {
            self.rows.push(row);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn total(&self) -> Row {
        let rows = self.rows.iter().filter(|row| !row.aside);
        rows.fold(Row::new("total"), |total, row| Row {
            cases: total.cases + row.cases,
            correct: total.correct + row.correct,
            hits: total.hits + row.hits,
            extra: total.extra + row.extra,
            missed: total.missed + row.missed,
            ..total
        })
    }

    pub(crate) fn to_json(&self, set: &str, data: &Path) -> Value {
        let total = self.total();
        json!({
            "set": set, "data": data.display().to_string(), "cases": total.cases, "correct": total.correct,
            "precision": total.precision(), "recall": total.recall(), "f1": total.f1(),
            "details": self.rows.iter().map(Row::to_json).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn to_table(&self, set: &str, data: &Path) -> String {
        let total = self.total();
        let rows = || self.rows.iter().chain(std::iter::once(&total));
        let width = rows().map(|row| row.name.chars().count() + usize::from(row.aside)).max().unwrap_or(0);
        let mut table = format!("{set}: {}\n\n", data.display());
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{:width$}  {:>6}  {:>7}  precision  recall     F1", "", "cases", "correct");
        for row in rows() {
            let name = if row.aside { format!("{}*", row.name) } else { row.name.clone() };
            let _ = writeln!(
                table,
                "{name:width$}  {:>6}  {:>7}  {:>9.4}  {:>6.4}  {:>5.3}",
                row.cases,
                row.correct,
                row.precision(),
                row.recall(),
                row.f1()
            );
        }
        for row in &self.rows {
            for note in &row.notes {
                let _ = write!(table, "\n{}: {note}", row.name);
            }
        }
        if self.rows.iter().any(|row| row.aside) {
            table.push_str("\n* for information, not in the total");
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn what_is_missed_lowers_recall_and_what_is_extra_lowers_precision() {
        let row = Row::new("r").sets(&set(&["a", "b", "c"]), &set(&["a", "b", "d", "e"]));
        assert_eq!((row.cases, row.correct), (5, 2));
        assert_eq!((row.precision(), row.recall()), (0.5, 2.0 / 3.0));
    }

    #[test]
    fn a_right_refusal_is_correct_and_moves_neither_precision_nor_recall() {
        let mut row = Row::new("r");
        row.verdict("good", true, None);
        row.verdict("bad", false, Some("why".to_owned()));
        assert_eq!((row.cases, row.correct, row.f1()), (2, 2, 1.0));
        row.verdict("let through", false, None);
        row.verdict("turned away", true, Some("why".to_owned()));
        assert_eq!((row.cases, row.correct, row.precision(), row.recall()), (4, 2, 0.5, 0.5));
    }

    #[test]
    fn a_row_aside_is_shown_and_not_counted() {
        let mut score = Score::default();
        score.add(Row::new("r").equal("x", 1, 1));
        score.add(Row::aside("s", "no truth").equal("x", 1, 2));
        let json = score.to_json("openssh", Path::new("d"));
        assert_eq!(
            (&json["cases"], &json["f1"], &json["details"][1]["in_totals"]),
            (&json!(1), &json!(1.0), &json!(false))
        );
        assert!(score.to_table("openssh", Path::new("d")).contains("s: x: expected 1, found 2"));
    }
}
