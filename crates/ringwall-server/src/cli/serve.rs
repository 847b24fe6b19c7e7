//! `ringwall serve`: the whole server in one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use ringwall::audit::VerifierKey;
use ringwall::{Caller, Engine, Parts, SystemClock, SystemEntropy, log_options};
use ringwall_sqlite::{DirectoryLock, SqliteStore};
use ringwall_store::Stores;
use ringwall_types::TenantId;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::{Outcome, runtime, tell};
use crate::config::Settings;
use crate::files::signing_key;
use crate::http::{App, router, serve};
use crate::keys::Keys;

/// Upper ends of the histogram of latencies, in seconds.
const LATENCY_BUCKETS_SECS: [f64; 12] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 10.0];
/// How often metrics are folded.
const UPKEEP: Duration = Duration::from_secs(5);

/// Options of `ringwall serve`.
#[derive(Args)]
pub(super) struct Arguments {
    /// Address and port. Default: 127.0.0.1:7117.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// A policy file that the tenant `default` gets at this start.
    #[arg(long, value_name = "FILE")]
    policies: Option<PathBuf>,

    /// Listen on a non-loopback address without TLS: keys and decisions cross the network readable.
    #[arg(long)]
    danger_listen_without_tls: bool,
}

pub(super) fn run(arguments: Arguments, mut settings: Settings) -> Result<Outcome, String> {
    settings.server.listen = arguments.listen.unwrap_or(settings.server.listen);
    settings.data.policies = arguments.policies.or(settings.data.policies);
    settings.server.danger_listen_without_tls |= arguments.danger_listen_without_tls;
    start_logging();
    runtime()?.block_on(run_until_stopped(settings))?;
    Ok(Outcome::Done)
}

fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("RINGWALL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .init();
}

async fn run_until_stopped(settings: Settings) -> Result<(), String> {
    let address = settings.server.listen;
    let is_open = !address.ip().is_loopback() && settings.server.tls.is_none();
    if is_open && !settings.server.danger_listen_without_tls {
        return Err(format!(
            "{address} is not a loopback address and server.tls is not set, so keys and decisions would cross the \
             network readable; set server.tls.certificate and server.tls.key, or, if you must, \
             --danger-listen-without-tls"
        ));
    }
    let signals = Signals::catch()?;
    let tls = settings.server.tls.as_ref().map(crate::tls::acceptor).transpose()?;
    // The port comes before the data: who cannot listen must not touch the store of somebody who does.
    let listener =
        TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let (engine, key) = open_engine(&settings)?;
    engine.begin().await.map_err(|error| error.to_string())?;
    load_policies(&engine, settings.data.policies.as_deref()).await?;

    let (stop, stopped) = watch::channel(false);
    let mut following = tokio::spawn(engine.clone().follow(stopped.clone()));
    let keys = Keys::load(engine.clone()).await.map_err(|error| error.to_string())?;
    announce(address, tls.is_some(), &settings.data.directory, &key, &keys).await?;

    let metrics =
        PrometheusBuilder::new().set_buckets(&LATENCY_BUCKETS_SECS).map_err(|error| error.to_string())?;
    let metrics = metrics.install_recorder().map_err(|error| error.to_string())?;
    tokio::spawn(keep_up(metrics.clone()));
    let server = Arc::new(settings.server);
    let app = App::new(engine, Arc::new(keys), server.clone(), metrics);
    let (stop_http, http_stopped) = watch::channel(false);
    let stop_http = Arc::new(stop_http);
    let stop_by_signal = stop_http.clone();
    tokio::spawn(async move {
        signals.wait().await;
        stop_by_signal.send_replace(true);
    });
    let serving = serve(listener, tls, router(app), &server, http_stopped);
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        died = &mut following => {
            // Without detection nothing may go on as if it were there.
            stop_http.send_replace(true);
            serving.await;
            return Err(format!("detection died: {died:?}"));
        }
    }
    // Detection stops after the last request, so that what was accepted is judged or will be at the next start.
    stop.send_replace(true);
    following.await.map_err(|error| format!("detection died: {error}"))?;
    tell!("stopped");
    Ok(())
}

/// Opens the data directory and puts the engine on it.
fn open_engine(settings: &Settings) -> Result<(Arc<Engine>, VerifierKey), String> {
    let directory = &settings.data.directory;
    // The lock first: of two first starts only one makes a key.
    let lock = DirectoryLock::take(directory).map_err(|error| error.to_string())?;
    let signing = signing_key(directory)?;
    let key = signing.verifier().clone();
    let options = log_options(key.name().as_str(), signing).map_err(|error| error.to_string())?;
    let store = SqliteStore::open_locked(lock, directory, options).map_err(|error| error.to_string())?;
    let engine = Engine::new(Parts {
        stores: Stores::of(Arc::new(store)),
        log_key: key.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        config: settings.engine(),
    });
    Ok((engine.map_err(|error| error.to_string())?, key))
}

/// Puts the policy file in force, unless it is already.
async fn load_policies(engine: &Arc<Engine>, file: Option<&Path>) -> Result<(), String> {
    let Some(file) = file else { return Ok(()) };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let caller = Caller::process(TenantId::initial());
    let current = engine.policies(&caller).await.map_err(|error| error.to_string())?;
    if current.text() != text {
        let replaced = engine.replace_policies(&caller, &text).await;
        replaced.map_err(|error| format!("{}:\n{error}", file.display()))?;
    }
    Ok(())
}

async fn announce(
    address: SocketAddr,
    has_tls: bool,
    directory: &Path,
    key: &VerifierKey,
    keys: &Keys,
) -> Result<(), String> {
    let scheme = if has_tls { "https" } else { "http" };
    tell!("ringwall {} listens on {scheme}://{address}", env!("CARGO_PKG_VERSION"));
    tell!("data: {}", directory.display());
    tell!("log key: {key}");
    if let Some(token) = keys.setup_token().await.map_err(|error| error.to_string())? {
        tell!("setup token: {}", token.expose());
        tell!(
            "exchange it once for an admin API key: POST {scheme}://{address}/v1/setup {{\"token\": \"…\"}}"
        );
    }
    Ok(())
}

/// Folds what histograms gathered, so that memory does not grow between two looks at the figures.
async fn keep_up(metrics: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

/// The signals that end the server, caught from now on.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn catch() -> Result<Self, String> {
        let catch = |kind| signal(kind).map_err(|error| format!("signals cannot be caught: {error}"));
        Ok(Self { interrupt: catch(SignalKind::interrupt())?, terminate: catch(SignalKind::terminate())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
