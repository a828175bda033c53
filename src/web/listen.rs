//! Sockets: one task a connection, not many at once, none for long.

use axum::{Router, body::Body, extract::Extension};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// What a listener lets in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at a time.
    pub(super) at_once: usize,
    /// Of them, those of one address.
    pub(super) of_one: usize,
    /// For a whole connection.
    pub(super) longest: Duration,
}

/// For web hooks. With a body of a megabyte each that is the most memory that strangers can take, and a platform that
/// has more to say makes another connection.
pub(super) const HOOKS: Limits = Limits {
    at_once: 16,
    of_one: 16,
    longest: Duration::from_secs(30),
};
/// For the TLS handshake, and for the head of a request.
const GREETING: Duration = Duration::from_secs(5);

/// Who asks, as the handlers see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// The certificate in force; absent for plain connections.
pub(super) type Tls = watch::Receiver<Option<Arc<ServerConfig>>>;

/// Reads certificate and key.
///
/// # Errors
/// In words.
pub(super) fn certificate(cert: &Path, key: &Path) -> Result<ServerConfig, String> {
    let unusable = |path: &Path, error: &dyn std::fmt::Display| {
        format!(
            "{} cannot be used: {error}; it must be PEM, readable for this service",
            path.display()
        )
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(cert, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be used: {error}"))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| unusable(cert, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, router: Router, tls: Tls, limits: Limits) {
    let places = Arc::new(Semaphore::new(limits.at_once));
    let present = Present::default();
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return; // never closed
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, say: it passes, and a loop without a pause would not help.
                    tracing::debug!(%error, "a connection was not accepted");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
        };
        let Some(seat) = Seat::take(&present, peer.ip(), limits.of_one) else {
            continue; // closed at once: one address does not keep the others out
        };
        let (router, acceptor) = (router.clone(), tls.borrow().clone().map(TlsAcceptor::from));
        connections.spawn(async move {
            let _held = (place, seat);
            let _ = timeout(limits.longest, connection(stream, peer, router, acceptor)).await;
        });
    }
}

/// How many connections each address has.
type Present = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One connection of an address, until it is dropped.
struct Seat(Present, IpAddr);

impl Seat {
    fn take(present: &Present, address: IpAddr, most: usize) -> Option<Self> {
        let mut counts = present.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Self(Arc::clone(present), address))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, tls: Option<TlsAcceptor>) {
    let _ = stream.set_nodelay(true); // speed only
    match tls {
        None => exchange(stream, peer, router).await,
        Some(tls) => {
            // Whoever does not trust the certificate, or speaks no TLS, is no news: the internet is full of them.
            if let Ok(Ok(stream)) = timeout(GREETING, tls.accept(stream)).await {
                exchange(stream, peer, router).await;
            }
        }
    }
}

async fn exchange<S>(stream: S, peer: SocketAddr, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router.layer(Extension(Peer(peer))));
    let service = service_fn(move |request: Request<Incoming>| {
        hyper::service::Service::call(&service, request.map(Body::new))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(GREETING)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}
