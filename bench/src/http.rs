//! The shipped binary behind its HTTP door, asked over kept-alive connections.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::measure::{Samples, cpu_of};
use crate::{Result, engines};

/// A running server with a key to ask it.
pub struct Server {
    child: Child,
    address: String,
    key: String,
}

/// What many requests took.
pub struct Answered {
    /// How many there were.
    pub count: u64,
    /// From the first to the last.
    pub wall: Duration,
    /// Processor time of the server alone.
    pub cpu: Duration,
    /// Each on its own, as the caller saw it.
    pub latency: Samples,
}

impl Server {
    /// Starts the release binary of the main workspace with its data in `directory`.
    pub async fn start(directory: &Path) -> Result<Self> {
        let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/ringwall");
        if !binary.exists() {
            return Err("build the server first: cargo build --release --package ringwall-server".into());
        }
        let policies: PathBuf = directory.join("policies.yaml");
        std::fs::write(&policies, engines::policy_text(10))?;
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--policies"]).arg(policies);
        command.env("RINGWALL_DATA__DIRECTORY", directory.join("data")).current_dir(directory);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("the server has no output")?).lines();
        let (mut address, mut token) = (None, None);
        while let (None, Some(line)) = (&token, lines.next_line().await?) {
            address =
                address.or_else(|| line.split_once("http://").map(|(_, address)| address.trim().to_owned()));
            token = line.strip_prefix("setup token: ").map(str::to_owned);
        }
        // Keeps the pipe open and empty.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let address = address.ok_or("the server named no address")?;
        let token = token.ok_or("the server printed no setup token")?;
        let mut server = Self { child, address, key: String::new() };
        let body = serde_json::json!({ "token": token }).to_string();
        let (status, answer) = server.post(&mut server.connect().await?, "/v1/setup", body.into()).await?;
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        let key = answer.get("api_key").and_then(|key| key.as_str());
        server.key = key.ok_or_else(|| format!("setup gave status {status}: {answer}"))?.to_owned();
        Ok(server)
    }

    /// Asks for `count` decisions over `connections` connections, one after the other on each.
    pub async fn decide(self: &Arc<Self>, count: u64, connections: u64) -> Result<Answered> {
        let process = self.child.id().ok_or("the server has ended")?.to_string();
        let next = Arc::new(AtomicU64::new(0));
        let (cpu, started) = (cpu_of(&process)?, Instant::now());
        let mut callers = Vec::new();
        for _ in 0..connections {
            let (server, next) = (self.clone(), next.clone());
            callers.push(tokio::spawn(async move { server.caller(&next, count).await }));
        }
        let mut latencies = Vec::new();
        for caller in callers {
            latencies.extend(caller.await??);
        }
        let (wall, cpu) = (started.elapsed(), cpu_of(&process)?.saturating_sub(cpu));
        Ok(Answered { count, wall, cpu, latency: Samples::new(latencies) })
    }

    async fn caller(&self, next: &AtomicU64, count: u64) -> Result<Vec<Duration>> {
        let mut connection = self.connect().await?;
        let mut latencies = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(latencies);
            }
            let body = serde_json::to_vec(&engines::request(number)?)?;
            let started = Instant::now();
            let (status, answer) = self.post(&mut connection, "/v1/decide", body.into()).await?;
            latencies.push(started.elapsed());
            let allows = answer.windows(7).any(|word| word == b"\"allow\"");
            if status != 200 || !allows {
                return Err(format!("status {status}: {}", String::from_utf8_lossy(&answer)).into());
            }
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn post(
        &self,
        connection: &mut SendRequest<Full<Bytes>>,
        path: &str,
        body: Bytes,
    ) -> Result<(u16, Bytes)> {
        connection.ready().await?;
        let mut request =
            Request::post(path).header("host", &self.address).header("content-type", "application/json");
        if !self.key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        let answer = connection.send_request(request.body(Full::new(body))?).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}
