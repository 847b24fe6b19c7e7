//! Plain tables for a terminal: columns as wide as their content.

use super::out::shown;
use super::say;

/// Prints `rows` below `heads`; control characters in cells are shown as `?`, since cells hold attackers' text.
pub(super) fn print<const N: usize>(heads: [&str; N], rows: &[[String; N]]) {
    let clean = |cell: &str| shown(cell).replace('\n', "?");
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| clean(cell))).collect();
    let mut widths = heads.map(|head| head.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        say!("{}", padded.join("  ").trim_end());
    };
    line(heads);
    rows.iter().for_each(|row| line(row.each_ref().map(String::as_str)));
}
