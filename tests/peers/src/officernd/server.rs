//! Sockets: each connection a task, every answer from `api`.

use super::{
    api::{self, Reply, Request},
    state::State,
};
use crate::half::Half;
use axum::{
    body::Body,
    http::{Response, header},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

/// The largest body that is read.
const MOST_BYTES: usize = 1 << 20;

pub(super) async fn run(
    listener: std::net::TcpListener,
    shared: Arc<Mutex<State>>,
    mut stopped: oneshot::Receiver<()>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let _ = stream.set_nodelay(true); // speed only
                    connections.spawn(serve(stream, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Mutex<State>>) {
    let service = service_fn(move |request: hyper::Request<Incoming>| one(request, Arc::clone(&shared)));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.await; // cut connections are part of the game
}

async fn one(request: hyper::Request<Incoming>, shared: Arc<Mutex<State>>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), MOST_BYTES).await;
    let token = head
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .map(str::to_owned);
    let request = Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        token,
        body: body.unwrap_or_default().to_vec(),
    };
    let (reply, slow) = {
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        (api::answer(&mut state, &request), state.faults.slow)
    };
    if let Some(slow) = slow {
        tokio::time::sleep(slow).await;
    }
    bytes(reply)
}

fn bytes(reply: Reply) -> io::Result<Response<Body>> {
    if reply.cut == Some(0) {
        return Err(io::Error::other("the answer is lost on purpose"));
    }
    let mut answer = Response::builder()
        .status(reply.status)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8");
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
