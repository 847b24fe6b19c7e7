//! A real server in a directory of its own, and the little that is needed to talk to it.
//!
//! Promises: every wait ends at a deadline; no setting of whoever runs the tests reaches the server; nothing leaves
//! loopback.
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

mod http;
mod rng;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use ringwall::{Clock, SystemClock};
use ringwall_types::{AuditRecord, Timestamp};
use serde_json::{Value, json};

pub(crate) use http::{Client, Reply, read_reply};
pub(crate) use rng::Rng;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ringwall");
/// How long anything may take before a test gives up on it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// Every scope that a key can have.
pub(crate) const SCOPES: [&str; 7] =
    ["decide", "ingest", "read", "manage_policies", "respond", "manage_keys", "manage_tenants"];
/// Policies that allow every `dataset:read`.
pub(crate) const READERS: &str = "policies:\n  - id: readers\n    effect: allow\n    conditions:\n      action.id: {equals: \"dataset:read\"}\n";

/// A temporary directory with a data directory in it.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("ringwall-test").tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let place = self.path(name);
        std::fs::write(&place, text).unwrap();
        place
    }

    /// The program with this directory as its place and its data directory in it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RINGWALL_")) {
            command.env_remove(name);
        }
        command.current_dir(self.0.path()).arg("--data").arg(self.data()).args(arguments);
        command
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments).stdin(Stdio::null()))
    }

    /// The records of the log, in order, read from the file itself.
    pub(crate) fn records(&self) -> Vec<AuditRecord> {
        let log = ringwall_sqlite::LogReader::open(&self.data()).unwrap();
        let mut records = Vec::new();
        loop {
            let page = log.read(records.len() as u64, 1000).unwrap();
            if page.is_empty() {
                return records;
            }
            for entry in page {
                assert_eq!(entry.index, records.len() as u64);
                records.push(serde_json::from_slice(&entry.body).unwrap());
            }
        }
    }

    /// `log verify` must pass.
    #[track_caller]
    pub(crate) fn verify(&self) {
        let verified = self.run(&["log", "verify"]);
        assert_eq!(verified.code, 0, "{verified:?}");
    }
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end; one that a signal ended has the code -1.
pub(crate) fn finish(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    stderr: PathBuf,
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    pub(crate) log_key: String,
}

impl Server {
    /// Starts the server on a free port and waits until it says where it listens.
    #[track_caller]
    pub(crate) fn start(home: &Home, arguments: &[&str]) -> Self {
        match Self::try_start(home, arguments) {
            Ok(server) => server,
            Err(ended) => panic!("the server ended at its start: {ended:?}"),
        }
    }

    /// The same, or how the server ended instead.
    pub(crate) fn try_start(home: &Home, arguments: &[&str]) -> Result<Self, Output> {
        let stderr = home.path("stderr.txt");
        let listen = ["--listen", "127.0.0.1:0"];
        let listen = if arguments.contains(&"--listen") { &[][..] } else { &listen[..] };
        let arguments: Vec<_> = ["serve"].iter().chain(listen).chain(arguments).copied().collect();
        let mut command = home.command(&arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap();
        let (send, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line).ok());
        });
        let Ok(first) = lines.recv_timeout(DEADLINE) else {
            drop(child.kill());
            let code = child.wait().unwrap().code().unwrap_or(-1);
            let stderr = std::fs::read_to_string(&stderr).unwrap();
            return Err(Output { code, stdout: String::new(), stderr });
        };
        let url = first.strip_prefix("ringwall 0.1.0 listens on ").unwrap_or_else(|| panic!("{first}"));
        let address = url.split_once("://").unwrap().1.parse().unwrap();
        let (url, log_key) = (url.to_owned(), String::new());
        let mut server = Self { child, lines, stderr, url, address, log_key };
        let data = server.line();
        assert!(data.starts_with("data: "), "{data}");
        server.log_key = server.line().strip_prefix("log key: ").unwrap().to_owned();
        Ok(server)
    }

    /// The next line that the server prints.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("the server prints another line")
    }

    /// The setup token; to be called once, after the first start.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let token = self.line().strip_prefix("setup token: ").expect("a setup token").to_owned();
        assert!(self.line().starts_with("exchange it once for an admin API key: POST "));
        token
    }

    /// Exchanges the setup token for the administrator's key.
    #[track_caller]
    pub(crate) fn setup(&self) -> String {
        let reply = self.as_stranger().post("/v1/setup", &json!({ "token": self.token() }));
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.text_at("/api_key")
    }

    pub(crate) fn as_stranger(&self) -> Client {
        Client::new(self.address, None)
    }

    pub(crate) fn with_key(&self, key: &str) -> Client {
        Client::new(self.address, Some(key))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Stops the server in good order; gives what it printed since its start.
    #[track_caller]
    pub(crate) fn stop(self) -> Vec<String> {
        self.signal("TERM");
        self.stopped()
    }

    /// Waits until the server has stopped in good order; gives what it printed since its start.
    #[track_caller]
    pub(crate) fn stopped(mut self) -> Vec<String> {
        let mut printed = Vec::new();
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => printed.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the server does not stop: {}", self.stderr()),
            }
        }
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{status}, {printed:?}, {}", self.stderr());
        assert_eq!(printed.last().map(String::as_str), Some("stopped"));
        printed
    }

    /// Kills the server without a warning.
    pub(crate) fn kill9(mut self) -> ExitStatus {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9));
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A fresh server with its administrator.
#[track_caller]
pub(crate) fn fresh(home: &Home, arguments: &[&str]) -> (Server, Client) {
    let server = Server::start(home, arguments);
    let key = server.setup();
    let admin = server.with_key(&key);
    (server, admin)
}

/// A key of a tenant with these scopes.
#[track_caller]
pub(crate) fn make_key(admin: &Client, tenant: &str, scopes: &[&str]) -> String {
    let body = json!({ "name": "test", "tenant": tenant, "scopes": scopes });
    let reply = admin.post("/v1/keys", &body);
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.text_at("/api_key")
}

/// The present, shifted by so many seconds.
pub(crate) fn moment(secs: i64) -> Timestamp {
    SystemClock.now().saturating_add_secs(secs)
}

/// Ann wants to read dataset d1.
pub(crate) fn read_request() -> Value {
    json!({ "principal": { "id": "ann" }, "action": "dataset:read", "resource": { "id": "d1", "kind": "dataset" } })
}

/// The same, from an address.
pub(crate) fn read_from(address: &str) -> Value {
    let mut request = read_request();
    request["environment"] = json!({ "source_ip": address });
    request
}

/// The guide's four events, at this moment: three failed logins and a file access.
pub(crate) fn guide_events(user: &str, address: &str) -> String {
    let login = |secs| json!({ "type": "login", "user": user, "ip": address, "failed": true, "timestamp": moment(secs) });
    let file = json!({ "type": "file_access", "user": user, "file": "/etc/passwd", "timestamp": moment(0) });
    [login(-15), login(-10), login(-5), file].iter().map(|event| format!("{event}\n")).collect()
}

/// Whether a tool is there; loudly skipped when not, unless the environment requires it.
pub(crate) fn has_tool(name: &str) -> bool {
    let found = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok();
    assert!(
        found || std::env::var_os("RINGWALL_REQUIRE_TOOLS").is_none(),
        "`{name}` is not installed, and RINGWALL_REQUIRE_TOOLS is set"
    );
    if !found {
        eprintln!("SKIPPED: `{name}` is not installed");
    }
    found
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
