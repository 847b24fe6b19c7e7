//! The README's tour, run as it is written: whoever types these commands sees this output.
//!
//! Conventions: only blocks fenced as ```` ```console ```` are run, top to bottom, in one bash whose variables, functions
//! and jobs stay. A line that begins with `$ ` is a command; it goes on with lines that begin with `> `, and while lines
//! end with `\`. Lines below it are the output expected of it, error output included; lines that begin with `# ` are
//! remarks. `…` in expected output stands for anything within the line, a line of `…` alone for any number of lines. A
//! word of a command that ends in `…`, as `setup_…`, is the newest word of the output that begins so. A command must exit
//! with 0, or with the number in a remark at its end, `# exits with 3`. `cargo run … -- ` is the built program, `git`,
//! `cargo build` and `cd ringwall` do nothing; the server listens on a free port, which stands wherever the text says
//! `127.0.0.1:7117`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
#![allow(clippy::print_stderr, clippy::string_slice, reason = "a test tells its seed and what it skipped")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use support::{DEADLINE, PROGRAM, repository};

/// Where the README says that the server listens.
const WRITTEN: &str = "127.0.0.1:7117";
/// Ends the output of a command; stands in none.
const END: char = '\u{1}';

/// A command with what it should print.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Step {
    line: usize,
    command: String,
    code: i32,
    expected: Vec<String>,
}

/// The steps of a README.
fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut is_inside, mut continues, mut has_command) = (false, false, false);
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim_start().starts_with("```") {
            is_inside = !is_inside && text.trim() == "```console";
            (continues, has_command) = (false, false);
        } else if !is_inside {
        } else if continues {
            let step = steps.last_mut().unwrap();
            step.command.push('\n');
            step.command.push_str(text.strip_prefix("> ").unwrap_or(text));
            continues = text.ends_with('\\');
        } else if let Some(more) = text.strip_prefix("> ")
            && has_command
            && steps.last().is_some_and(|step| step.expected.is_empty())
        {
            let step = steps.last_mut().unwrap();
            step.command.push('\n');
            step.command.push_str(more);
        } else if let Some(command) = text.strip_prefix("$ ") {
            let (command, code) = match command.rsplit_once("# exits with ") {
                Some((command, code)) => (command.trim_end(), code.trim().parse().unwrap()),
                None => (command, 0),
            };
            steps.push(Step { line, command: command.to_owned(), code, expected: Vec::new() });
            (continues, has_command) = (command.ends_with('\\'), true);
        } else if !text.starts_with("# ") {
            assert!(has_command, "line {line}: output without a command: {text}");
            steps.last_mut().unwrap().expected.push(text.to_owned());
        }
    }
    for step in &mut steps {
        while step.expected.last().is_some_and(String::is_empty) {
            step.expected.pop();
        }
    }
    steps
}

/// Whether a line is what was expected; `…` is anything.
fn is_line(expected: &str, line: &str) -> bool {
    let mut pieces = expected.trim_end().split('…');
    let Some(mut rest) = line.trim_end().strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let pieces: Vec<_> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// Whether all lines are what was expected; a line of `…` alone is any number of lines.
fn is_output(expected: &[String], lines: &[String]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=lines.len()).any(|skipped| is_output(rest, &lines[skipped..]))
        }
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, lines)| is_line(first, line) && is_output(rest, lines))
        }
    }
}

/// A shell in a directory that looks like the repository, with everything that it started.
struct Tour {
    place: tempfile::TempDir,
    shell: Child,
    input: ChildStdin,
    output: Receiver<String>,
    address: String,
    words: Vec<String>,
}

impl Tour {
    fn start() -> Self {
        let place = tempfile::Builder::new().prefix("ringwall-tour").tempdir().unwrap();
        let home = place.path().join("ringwall");
        std::fs::create_dir(&home).unwrap();
        for name in ["examples", "schemas", "conformance", "docs", "README.md"] {
            if let Ok(ours) = repository().join(name).canonicalize() {
                std::os::unix::fs::symlink(ours, home.join(name)).unwrap();
            }
        }
        if let Ok(shared) = repository().join("../shared").canonicalize() {
            std::os::unix::fs::symlink(shared, place.path().join("shared")).unwrap();
        }
        let mut command = Command::new("bash");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RINGWALL_")) {
            command.env_remove(name);
        }
        let binaries = Path::new(PROGRAM).parent().unwrap().display();
        let path = format!("{binaries}:{}", std::env::var("PATH").unwrap_or_default());
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        command.env("PATH", path).env("RINGWALL_SERVER__LISTEN", &address).current_dir(&home);
        command.args(["--noprofile", "--norc"]).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = command.spawn().unwrap();
        let (mut input, stdout) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        writeln!(input, "exec 2>&1").unwrap();
        Self { place, shell, input, output: lines_of(stdout), address, words: Vec::new() }
    }

    /// The command as it is run here.
    fn translated(&self, command: &str) -> String {
        let mut command = command.to_owned();
        for cargo in ["cargo run --release -- ", "cargo run -q --release -- ", "cargo run -- "] {
            command = command.replace(cargo, "ringwall ");
        }
        command = command.replace(WRITTEN, &self.address);
        while let Some(at) = command.find('…') {
            let head = &command[..at];
            let start = head.rfind(is_no_word).map_or(0, |before| before + 1);
            let prefix = &head[start..];
            let word = self.words.iter().rev().find(|word| !prefix.is_empty() && word.starts_with(prefix));
            let word =
                word.unwrap_or_else(|| panic!("no output had a word that begins with `{prefix}`: {command}"));
            command.replace_range(start..at + '…'.len_utf8(), &word.clone());
        }
        command
    }

    /// Runs one step; says what is not as it is written.
    fn run(&mut self, step: &Step) -> Result<(), String> {
        let command = self.translated(&step.command);
        if ["git ", "cd ringwall", "cargo build"].iter().any(|start| command.starts_with(start)) {
            return Ok(());
        }
        let (lines, code) = self.shell(&command);
        let words = lines.iter().flat_map(|line| line.split(is_no_word));
        self.words.extend(words.filter(|word| word.contains('_')).map(str::to_owned));
        let lines: Vec<_> = lines.iter().map(|line| line.replace(&self.address, WRITTEN)).collect();
        let shown =
            || format!("line {}: $ {}\n{}\nexited with {code}", step.line, step.command, lines.join("\n"));
        if code != step.code {
            return Err(format!("{}, not with {}", shown(), step.code));
        }
        if !is_output(&step.expected, &lines) {
            return Err(format!("{}; expected was:\n{}", shown(), step.expected.join("\n")));
        }
        Ok(())
    }

    /// Runs a command in the shell to its end.
    fn shell(&mut self, command: &str) -> (Vec<String>, i32) {
        let step = self.place.path().join("step.sh");
        std::fs::write(&step, format!("{command}\n")).unwrap();
        writeln!(self.input, ". {} < /dev/null\nprintf '\\n{END}%s\\n' $?", step.display()).unwrap();
        let mut lines = Vec::new();
        loop {
            let line =
                self.output.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("`{command}` does not end"));
            if let Some(code) = line.strip_prefix(END) {
                // The line break before the end mark belongs to the mark, unless the output had none.
                if lines.last().is_some_and(String::is_empty) {
                    lines.pop();
                }
                return (lines, code.parse().unwrap());
            }
            lines.push(line);
        }
    }
}

impl Drop for Tour {
    fn drop(&mut self) {
        let kill = format!("kill -9 -- -{}", self.shell.id());
        drop(Command::new("bash").args(["-c", &kill]).status());
        drop(self.shell.wait());
    }
}

fn is_no_word(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| send.send(line).ok());
    });
    lines
}

/// Runs every step; gives what was not as it is written.
fn run_all(text: &str) -> Vec<String> {
    let mut tour = Tour::start();
    let has_data = repository().join("../shared/data").exists();
    let mut wrong = Vec::new();
    for step in steps(text) {
        if step.command.contains("../shared/data") && !has_data {
            assert!(std::env::var_os("RINGWALL_REQUIRE_DATA").is_none(), "../shared/data is absent");
            eprintln!("SKIPPED: ../shared/data is absent: {}", step.command);
            continue;
        }
        wrong.extend(tour.run(&step).err());
    }
    wrong
}

const SAMPLE: &str = r#"
Start it:

```console
$ git clone https://example.org/ringwall
$ cargo run --release -- serve > ringwall.out 2>&1 &
$ curl -s --retry 100 --retry-delay 1 --retry-connrefused http://127.0.0.1:7117/readyz; echo
{"status":"ready"}
$ cat ringwall.out
ringwall 0.1.0 listens on http://127.0.0.1:7117
data: ringwall-data
log key: ringwall/…
setup token: setup_…
exchange it once for an admin API key: POST http://127.0.0.1:7117/v1/setup {"token": "…"}
```

```console
# in another terminal
$ curl -s http://127.0.0.1:7117/healthz; echo
{"status":"alive"}
$ cat <<'END'
> a
>  b
> END
a
 b
$ curl -s http://127.0.0.1:7117/v1/setup \
    -H 'content-type: application/json' -d '{"token": "setup_…"}'
{"api_key":"rw_…","id":"…","tenant":"default",…}
$ export KEY=rw_…
$ curl -s http://127.0.0.1:7117/v1/threats -H "authorization: Bearer $KEY"
{"threats":[]}
$ cargo run --release -- log verify
verified: 2 records, root …, signed by ringwall/…
$ ringwall policy check nowhere.yaml  # exits with 1
ringwall: nowhere.yaml: No such file or directory (os error 2)
$ printf 'a\nb\nc\nd\n'
a
…
d
$ kill %1; wait %1; tail -1 ringwall.out
stopped
```

```toml
$ this is not run
```
"#;

#[test]
fn a_sample_tour_runs_as_it_is_written() {
    if support::has_tool("curl") {
        assert_eq!(run_all(SAMPLE), Vec::<String>::new());
    }
}

#[test]
fn a_tour_that_says_something_else_is_told() {
    for (text, told) in [
        ("```console\n$ printf 'a\\n'\nb\n```\n", "expected was:\nb"),
        ("```console\n$ printf 'a\\nb\\n'\na\n```\n", "expected was:\na"),
        ("```console\n$ true\na\n```\n", "expected was:\na"),
        ("```console\n$ false\n```\n", "exited with 1, not with 0"),
        ("```console\n$ true # exits with 3\n```\n", "exited with 0, not with 3"),
    ] {
        let wrong = run_all(text);
        assert!(wrong.len() == 1 && wrong[0].contains(told), "{text}: {wrong:?}");
    }
}

#[test]
fn an_ellipsis_is_anything_within_its_line() {
    for (expected, line, is_it) in [
        ("a…b", "a-x-b", true),
        ("a…b", "ab", true),
        ("a…b", "a-x-b-", false),
        ("…", "", true),
        ("a…b…c", "a1b2c", true),
        ("a…b…c", "a1c2b", false),
        ("a", "a ", true),
        ("a", "ab", false),
    ] {
        assert_eq!(is_line(expected, line), is_it, "{expected} {line}");
    }
}

#[test]
fn the_tour_of_the_readme_runs_as_it_is_written() {
    let text = std::fs::read_to_string(repository().join("README.md")).expect("there is a README.md");
    assert!(steps(&text).len() >= 5, "README.md has a tour in blocks marked ```console");
    let wrong = run_all(&text);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
