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
