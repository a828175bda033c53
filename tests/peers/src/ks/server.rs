//! Sockets: three addresses as at SALTO (identity, API, stream), each connection a task.

use super::{
    api, hub, identity,
    reply::{Reply, Request},
    state::{Asked, State},
};
use crate::half::Half;
use axum::{
    body::Body,
    http::{HeaderMap, Response, header},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::oneshot,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The largest body that is read.
const MOST_BYTES: usize = 1 << 20;

/// Which of the three addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Identity,
    Api,
    Stream,
}

impl Host {
    const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Api => "api",
            Self::Stream => "stream",
        }
    }
}

pub(super) async fn run(
    listeners: Vec<(Host, std::net::TcpListener)>,
    tls: Option<TlsAcceptor>,
    shared: Arc<Mutex<State>>,
    stopped: oneshot::Receiver<()>,
) {
    let mut hosts = JoinSet::new();
    for (host, listener) in listeners {
        if let Ok(listener) = TcpListener::from_std(listener) {
            hosts.spawn(accept(host, listener, tls.clone(), Arc::clone(&shared)));
        }
    }
    let _ = stopped.await; // a dropped handle is the same wish
}

async fn accept(host: Host, listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let _ = stream.set_nodelay(true); // speed only
                    let (tls, shared) = (tls.clone(), Arc::clone(&shared));
                    connections.spawn(async move {
                        match tls {
                            None => serve(host, "http", stream, shared).await,
                            // Who does not trust the certificate ends the handshake: not this side's failure.
                            Some(tls) => if let Ok(stream) = tls.accept(stream).await {
                                serve(host, "https", stream, shared).await;
                            },
                        }
                    });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve<S>(host: Host, scheme: &'static str, stream: S, shared: Arc<Mutex<State>>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service =
        service_fn(move |request: hyper::Request<Incoming>| one(host, scheme, request, Arc::clone(&shared)));
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let _ = connection.await; // cut connections are part of the game
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

async fn one(
    host: Host,
    scheme: &'static str,
    mut request: hyper::Request<Incoming>,
    shared: Arc<Mutex<State>>,
) -> io::Result<Response<Body>> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), MOST_BYTES).await;
    let key = text(&head.headers, "sec-websocket-key");
    let request = Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: text(&head.headers, "authorization"),
        continuation: text(&head.headers, "clp-continuation-token"),
        is_form: text(&head.headers, "content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form")),
        host: text(&head.headers, "host").unwrap_or_default(),
        scheme,
        body: body.unwrap_or_default().to_vec(),
    };
    let (reply, token, delay) = {
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let (reply, token) = answer(&mut state, host, &request, key.as_deref());
        let delay = state.faults.answer_delay.filter(|_| host == Host::Api);
        (reply, token, delay)
    };
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    if reply.silent {
        // Until the caller goes away, or this simulator.
        std::future::pending::<()>().await;
    }
    if let Some((token, key)) = token.zip(key) {
        tokio::spawn(async move {
            if let Ok(upgraded) = upgrade.await {
                hub::serve(upgraded, token, shared).await;
            }
        });
        return Response::builder()
            .status(101)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()))
            .body(Body::empty())
            .map_err(io::Error::other);
    }
    bytes(reply)
}

/// The answer, and the token of a stream if the request becomes one.
fn answer(state: &mut State, host: Host, request: &Request, key: Option<&str>) -> (Reply, Option<String>) {
    let (reply, token) = match host {
        _ if state.faults.away => (Reply::lost(), None),
        Host::Identity => (identity::answer(state, request), None),
        Host::Api => (api::answer(state, request), None),
        Host::Stream => match hub::answer(state, request, key) {
            hub::Hub::Reply(reply) => (reply, None),
            hub::Hub::Upgrade(token) => (Reply::empty(101), Some(token)),
        },
    };
    let at = state.now();
    state.asked.push(Asked {
        host: host.name(),
        method: request.method.to_string(),
        path: request.path.clone(),
        query: request.query.clone(),
        body: serde_json::from_slice(&request.body).unwrap_or_default(),
        status: if reply.cut == Some(0) {
            0
        } else {
            reply.status.as_u16()
        },
        at,
    });
    (reply, token)
}

fn bytes(reply: Reply) -> io::Result<Response<Body>> {
    if reply.cut == Some(0) {
        return Err(io::Error::other("the answer is lost on purpose"));
    }
    let mut answer = Response::builder().status(reply.status);
    let typed = reply.headers.iter().any(|(name, _)| name == "content-type");
    if !typed && !reply.body.is_empty() {
        answer = answer.header(header::CONTENT_TYPE, "application/json; charset=utf-8");
    }
    for (name, value) in &reply.headers {
        answer = answer.header(name, value);
    }
    let body = match reply.cut {
        None => Body::from(reply.body),
        Some(length) => {
            answer = answer.header(header::CONTENT_LENGTH, reply.body.len());
            Body::new(Half::of(&reply.body, length))
        }
    };
    answer.body(body).map_err(io::Error::other)
}
