//! The tools that the check needs beside cargo: found, or installed, or named with the command that installs them.

use std::process::Command;

use crate::command::{Failure, run, shown, succeeds};

/// A program, and the Debian packages that bring it.
const PROGRAMS: [(&str, &[&str]); 3] =
    [("cc", &["gcc", "libc6-dev"]), ("curl", &["curl", "ca-certificates"]), ("jq", &["jq"])];

/// Subcommands of cargo, and the rustup components that bring them.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// Installs what is missing; says what was there and what was done.
pub(crate) fn ensure() -> Result<(), Failure> {
    install_packages(&missing_packages(|program| succeeds(program, &["--version"])))?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let lacks = |subcommand: &str| !succeeds(&cargo, &[subcommand, "--version"]);
    let components: Vec<_> = COMPONENTS
        .iter()
        .filter(|(subcommand, _)| lacks(subcommand))
        .map(|(_, component)| *component)
        .collect();
    if components.is_empty() {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["component", "add"]).args(&components);
    println!("missing: {}; running `{}`", components.join(", "), shown(&add));
    let hint =
        |failure| Failure::new(format!("{failure}\ninstall these parts of Rust: {}", components.join(", ")));
    run(&mut add).map_err(hint)
}

fn missing_packages(is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut missing = Vec::new();
    for (program, packages) in PROGRAMS {
        if is_there(program) {
            println!("found {program}");
        } else {
            println!("missing {program}: needs {}", packages.join(" "));
            missing.extend(packages);
        }
    }
    missing
}

fn install_packages(packages: &[&str]) -> Result<(), Failure> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    let by_hand = format!("apt-get update && apt-get install -y --no-install-recommends {list}");
    let is_root = succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]);
    let has_apt = succeeds("apt-get", &["--version"]);
    if !has_apt || !(is_root || succeeds("sudo", &["-n", "true"])) {
        return Err(Failure::new(format!("cannot install {list} here; run as root: {by_hand}")));
    }
    let steps: [&[&str]; 2] = [&["update"], &["install", "-y", "--no-install-recommends"]];
    for (step, operands) in steps.into_iter().zip([&[][..], packages]) {
        let mut command = if is_root { Command::new("apt-get") } else { Command::new("sudo") };
        if !is_root {
            command.args(["-n", "apt-get"]);
        }
        command.args(step).args(operands).env("DEBIAN_FRONTEND", "noninteractive");
        println!("running `{}`", shown(&command));
        run(&mut command).map_err(|failure| Failure::new(format!("{failure}\nrun as root: {by_hand}")))?;
    }
    println!("installed {list}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_installed() {
        assert_eq!(missing_packages(|_| true), [""; 0]);
        assert_eq!(missing_packages(|program| program != "curl"), ["curl", "ca-certificates"]);
    }
}
