//! Sockets: up, refusing, hanging. One task a connection, all cut when the line changes.

use axum::{Router, body::Body, http::Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{io, net::SocketAddr, sync::mpsc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// The cloud's line to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Answers.
    Up,
    /// Refuses connections: nobody listens.
    Refusing,
    /// Takes connections and never answers.
    Hanging,
    /// Stopped for good.
    Gone,
}

/// Marks an answer that must never leave: the connection is cut instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NeverSent;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    pub(crate) orders: watch::Receiver<Line>,
    pub(crate) reports: mpsc::Sender<Line>,
}

impl Server {
    pub(crate) async fn run(mut self, first: std::net::TcpListener) {
        let mut listener = TcpListener::from_std(first).ok();
        loop {
            let line = *self.orders.borrow_and_update();
            if line == Line::Gone {
                return;
            }
            listener = match (line, listener) {
                (Line::Refusing, _) => None,
                (_, Some(listener)) => Some(listener),
                (_, None) => Some(bind(self.address).await),
            };
            let _ = self.reports.send(line); // nobody may be waiting
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    changed = self.orders.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        break;
                    }
                    stream = accept(listener.as_ref()) => self.connect(stream, line, &mut connections),
                    Some(_) = connections.join_next() => {}
                }
            }
        }
    }

    fn connect(&self, stream: TcpStream, line: Line, connections: &mut JoinSet<()>) {
        if line == Line::Hanging {
            connections.spawn(async move {
                let _held = stream;
                std::future::pending::<()>().await;
            });
            return;
        }
        let router = self.router.clone();
        match self.tls.clone() {
            None => connections.spawn(serve(stream, router)),
            Some(tls) => connections.spawn(async move {
                // A client that does not trust the certificate ends the handshake: not this side's failure.
                if let Ok(stream) = tls.accept(stream).await {
                    serve(stream, router).await;
                }
            }),
        };
    }
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    loop {
        match listener {
            None => std::future::pending::<()>().await,
            Some(listener) => {
                if let Ok((stream, _)) = listener.accept().await {
                    let _ = stream.set_nodelay(true); // speed only
                    return stream;
                }
            }
        }
    }
}

/// Binds the address again. Connections that were cut a moment ago may still hold it.
async fn bind(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, router: Router) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        async move {
            let answer: Response<Body> = match tower_call(&mut router, request.map(Body::new)).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            if answer.extensions().get::<NeverSent>().is_some() {
                return Err(io::Error::other("the answer is lost on purpose"));
            }
            Ok(answer)
        }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.await; // cut connections are part of the game
}

async fn tower_call(
    router: &mut Router,
    request: hyper::Request<Body>,
) -> Result<Response<Body>, std::convert::Infallible> {
    use hyper_util::service::TowerToHyperService;
    hyper::service::Service::call(&TowerToHyperService::new(router.clone()), request).await
}
