//! Connections: accepted up to a limit, timed while they are idle, drained at the end.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::config::ServerSettings;

/// How long a client may take to send a request's head, and to shake hands.
const HEAD_WAIT: Duration = Duration::from_secs(10);
/// How long a client may leave what is sent to it unread.
const WRITE_WAIT: Duration = Duration::from_secs(30);
/// How long to wait after an accept failed, for example because too many files are open.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Serves until `stop` is set; then finishes what is under way, for at most the configured time.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    settings: &ServerSettings,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Places::new(settings));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        let (stream, address, place) = match accepted {
            Ok(Some(accepted)) => accepted,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                let _ = tokio::time::timeout(ACCEPT_RETRY, stop.wait_for(|stopped| *stopped)).await;
                continue;
            }
        };
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            let served = match tls {
                None => connection(stream, address, router, watcher).await,
                Some(tls) => match tokio::time::timeout(HEAD_WAIT, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection(stream, address, router, watcher).await,
                    Ok(Err(error)) => return tracing::debug!(%address, %error, "no TLS"),
                    Err(_) => return tracing::debug!(%address, "the TLS handshake took too long"),
                },
            };
            if let Err(error) = served {
                tracing::debug!(%address, %error, "a connection ended early");
            }
        });
    }
    drop(listener);
    let drain = Duration::from_secs(settings.drain_secs);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still under way when the time to finish them was over");
    }
}

/// How many connections there may be, in all and from one address.
struct Places {
    all: Arc<Semaphore>,
    per_address_max: usize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place, given back when dropped.
struct Place {
    places: Arc<Places>,
    address: IpAddr,
    _of_all: OwnedSemaphorePermit,
}

impl Places {
    fn new(settings: &ServerSettings) -> Self {
        Self {
            all: Arc::new(Semaphore::new(settings.connections_max)),
            per_address_max: settings.connections_per_address_max,
            by_address: Mutex::default(),
        }
    }

    /// A place for a connection from `address`, unless it has its share.
    fn place(self: &Arc<Self>, address: IpAddr, of_all: OwnedSemaphorePermit) -> Option<Place> {
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let held = by_address.entry(address).or_default();
        if *held >= self.per_address_max {
            return None;
        }
        *held += 1;
        Some(Place { places: self.clone(), address, _of_all: of_all })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_address = self.places.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = by_address.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Places>,
) -> std::io::Result<Option<(TcpStream, SocketAddr, Place)>> {
    let of_all = places.all.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    let Some(place) = places.place(address.ip().to_canonical(), of_all) else {
        tracing::debug!(%address, "as many connections as one address may have");
        return Ok(None);
    };
    // Answers are small and wait for the disk already; they must not wait for more to send.
    stream.set_nodelay(true)?;
    Ok(Some((stream, address, place)))
}

async fn connection<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    address: SocketAddr,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) -> Result<(), hyper::Error> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_WAIT));
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(address));
        // A task of its own: a client that hangs up must not stop a change halfway.
        let answered = tokio::spawn(router.clone().oneshot(request));
        async move {
            match answered.await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(never)) => match never {},
                Err(died) => Err(std::io::Error::other(died)),
            }
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .max_headers(64)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    watcher.watch(connection).await
}
