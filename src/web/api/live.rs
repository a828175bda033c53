//! What happens, as it happens: server-sent events (WHATWG HTML, 9.2). A stream that broke is taken up where it was by
//! `Last-Event-ID`, which browsers send by themselves.

use super::{Api, doors, events::Entry, live_desk::DeskFeed, status};
use crate::{
    domain::say::page as say,
    web::{
        problem::Problem,
        signin::{Act, Who},
    },
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::body::Frame;
use serde::Serialize;
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};

/// Something is sent so often, so that both ends notice when the other is gone. Browsers' proxies cut at 30 s and more.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A reader that takes nothing for so long is gone.
const STUCK: Duration = Duration::from_secs(30);
/// Messages on their way.
const AHEAD: usize = 16;
/// Events read at a time.
const BITE: usize = 100;
/// A browser comes back after so many milliseconds.
const RETRY: u32 = 2_000;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/api/v1/live", get(live))
}

/// Entries, faults and doors, live
///
/// Messages: `entry` (an event, its sequence is the id), `faults` and `doors` (all of them, at the beginning and whenever
/// they changed). For those with the scope `cards:write` also, without an id: `presented` (a card at the desk, a
/// `Presented`), `removed` (`{"reader"}`: it was taken away), `trouble` (`{"reader", "words", "say"}`: something about this one
/// presentation), `readers` (a `ReadersDoc`) and `conflicts` (`{"count"}`), the last two at the beginning and whenever they
/// changed.
#[utoipa::path(get, path = "/api/v1/live", tag = "events", extensions(("x-scope" = json!("events:read"))),
    params(("Last-Event-ID" = Option<u64>, Header, description = "The last sequence that arrived")), responses(
    (status = 200, content_type = "text/event-stream", body = String),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn live(State(api): State<Api>, who: Who, headers: HeaderMap) -> Result<Response, Problem> {
    who.need(Act::ReadEvents)?;
    let last = match headers.get("last-event-id") {
        None => None,
        Some(text) => {
            let number = text.to_str().ok().and_then(|text| text.parse::<u64>().ok());
            Some(number.ok_or_else(|| Problem::invalid(say::bad_stream_number()))?)
        }
    };
    let Ok(place) = std::sync::Arc::clone(&api.streams).try_acquire_owned() else {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "streams",
            "too many streams",
            say::too_many_streams(),
        ));
    };
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let _place = place;
        let seen = last.unwrap_or_else(|| *api.store.committed().borrow());
        // Whoever listens is gone, or may not any more: both end the stream.
        let _ = Stream {
            api,
            who,
            sender,
            seen,
        }
        .run()
        .await;
    });
    let kind = [(header::CONTENT_TYPE, "text/event-stream")];
    Ok((kind, Body::new(Feed(receiver))).into_response())
}

/// A body that is fed.
struct Feed(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The stream is over.
struct Over;

/// Something happened at the desk; never without one.
async fn told(desk: Option<&mut DeskFeed>) {
    match desk {
        Some(desk) => desk.told().await,
        None => std::future::pending().await,
    }
}

struct Stream {
    api: Api,
    who: Who,
    sender: mpsc::Sender<Bytes>,
    seen: u64,
}

impl Stream {
    async fn run(mut self) -> Result<(), Over> {
        let mut committed = self.api.store.committed();
        let mut board = self.api.health.watch();
        let mut ended = self.api.staff.ended();
        let (mut faults, mut doors) = (String::new(), String::new());
        let mut desk = self.who.may(Act::WriteCards).then(|| DeskFeed::new(&self.api));
        self.send(format!("retry: {RETRY}\n\n")).await?;
        loop {
            if !self.api.staff.still(&self.who, Act::ReadEvents) {
                return Err(Over);
            }
            // First: somebody stands there with a card in their hand.
            if let Some(desk) = &mut desk {
                for (name, data) in desk.cards(&self.api).await {
                    self.send(format!("event: {name}\ndata: {data}\n\n")).await?;
                }
            }
            let through = *committed.borrow_and_update();
            self.entries(through).await?;
            board.mark_unchanged();
            self.changed("faults", &status::faults(&self.api), &mut faults)
                .await?;
            self.changed("doors", &doors::all(&self.api), &mut doors).await?;
            if let Some(desk) = &mut desk {
                for (name, data) in desk.state(&self.api) {
                    self.send(format!("event: {name}\ndata: {data}\n\n")).await?;
                }
            }
            let wait = async {
                tokio::select! {
                    gone = committed.changed() => gone.map_err(|_| Over),
                    gone = board.changed() => gone.map_err(|_| Over),
                    gone = ended.changed() => gone.map_err(|_| Over),
                    () = told(desk.as_mut()) => Ok(()),
                    () = self.sender.closed() => Err(Over),
                }
            };
            match timeout(HEARTBEAT, wait).await {
                Ok(woken) => woken?,
                Err(_) => {
                    if let Some(desk) = &desk {
                        desk.keep_at_hand(&self.api);
                    }
                    self.send(": here\n\n".into()).await?;
                }
            }
        }
    }

    /// Everything of the journal up to here that was not sent yet.
    async fn entries(&mut self, through: u64) -> Result<(), Over> {
        while self.seen < through {
            let seen = self.seen;
            let more = self.api.ask(move |api| {
                let more = api.store.events_after(seen, BITE);
                more.map_err(|error| Problem::failed(&error))
            });
            let more = more.await.map_err(|_| Over)?;
            if more.is_empty() {
                return Ok(()); // numbers without an event, or the journal is being mended
            }
            for event in &more {
                self.seen = event.seq;
                let data = serde_json::to_string(&Entry::from(event)).map_err(|_| Over)?;
                self.send(format!("id: {}\nevent: entry\ndata: {data}\n\n", event.seq))
                    .await?;
            }
        }
        Ok(())
    }

    async fn changed(&self, name: &str, now: &impl Serialize, before: &mut String) -> Result<(), Over> {
        let data = serde_json::to_string(now).map_err(|_| Over)?;
        if data == *before {
            return Ok(());
        }
        self.send(format!("event: {name}\ndata: {data}\n\n")).await?;
        *before = data;
        Ok(())
    }

    async fn send(&self, text: String) -> Result<(), Over> {
        let sent = timeout(STUCK, self.sender.send(Bytes::from(text))).await;
        sent.map_err(|_| Over)?.map_err(|_| Over)
    }
}
