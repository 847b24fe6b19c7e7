//! The program `ringwall`: server and command line. Doors only: parse, one engine call, map.

#![expect(clippy::print_stderr, reason = "a command line prints")]

mod cli;
mod config;
mod files;
mod http;
mod keys;
mod tls;

fn main() -> std::process::ExitCode {
    cli::run()
}
