//! Standard output of a command. A reader that goes away (`ringwall … | head`) ends the command quietly.

use std::io::Write as _;

/// Prints text as it is.
pub(super) fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            eprintln!("ringwall: cannot print: {error}");
            std::process::exit(1)
        }
    }
}

/// Prints a line.
pub(super) fn line(text: impl std::fmt::Display) {
    print(&format!("{text}\n"));
}

/// Prints a line, or nothing when nobody reads it.
pub(super) fn line_if_read(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Text that may hold somebody else's words, without what would steer a terminal: control characters (line ends stay) and
/// marks that turn the direction of writing.
pub(super) fn shown(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '?' } else { c }).collect()
}
