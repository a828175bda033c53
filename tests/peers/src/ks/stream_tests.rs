//! The hub over real sockets.

use super::{CLEANER_TAG, Faults, Ks, stream_query};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

type Stream = WebSocketStream<TcpStream>;

/// A token that is good for an hour from now.
fn token(ks: &Ks) -> String {
    ks.with(|state| {
        let until = state.now() / 1_000 + 3_600;
        let token = format!("token-{}", state.identity.tokens.len());
        state.identity.tokens.insert(token.clone(), until);
        token
    })
}

async fn negotiate(ks: &Ks, token: &str) -> (u16, Value) {
    let host = ks.stream_url().replace("http://", "");
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let path = format!(
        "/v1/hub/entries/negotiate?site_id={}&negotiateVersion=1",
        ks.site()
    );
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

async fn open(ks: &Ks, token: &str) -> Stream {
    let (status, answer) = negotiate(ks, token).await;
    assert_eq!(status, 200);
    assert_eq!(answer["availableTransports"][0]["transport"], "WebSockets");
    let connection = answer["connectionToken"].as_str().unwrap().to_owned();
    let host = ks.stream_url().replace("http://", "");
    let address = format!("ws://{host}{}", stream_query(&ks.site(), &connection, token));
    let socket = TcpStream::connect(&host).await.unwrap();
    let (mut stream, _) = client_async(address, socket).await.unwrap();
    let hello = format!("{}\u{1e}", json!({"protocol": "json", "version": 1}));
    stream.send(Message::text(hello)).await.unwrap();
    assert_eq!(record(&mut stream).await, Some(json!({})));
    stream
}

/// The next record; `None` at the end.
async fn record(stream: &mut Stream) -> Option<Value> {
    match stream.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(text.strip_suffix('\u{1e}').unwrap()).ok(),
        _ => None,
    }
}

/// The same, without pings.
async fn event(stream: &mut Stream) -> Option<Value> {
    loop {
        match record(stream).await {
            Some(record) if record["type"] == 6 => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn an_entry_arrives_as_a_text_within_an_invocation() {
    let ks = Ks::start().unwrap();
    ks.manners(|manners| manners.ping = Duration::from_millis(5));
    let mut stream = open(&ks, &token(&ks)).await;
    assert_eq!(record(&mut stream).await, Some(json!({"type": 6})));
    let now = ks.now();
    ks.open_lock_with_tag("Front door", CLEANER_TAG, now);
    let said = event(&mut stream).await.unwrap();
    assert_eq!(
        (said["type"].as_u64(), said["target"].as_str()),
        (Some(1), Some("ReceiveMessage"))
    );
    let entry: Value = serde_json::from_str(said["arguments"][0].as_str().unwrap()).unwrap();
    assert_eq!(
        (&entry["event_category"], &entry["access_detail"]),
        (&json!("lock_opened"), &json!(CLEANER_TAG))
    );
    // Lost without a word, and it is in the list all the same.
    ks.faults(Faults {
        lose_events: true,
        ..Faults::default()
    });
    ks.open_lock_with_tag("Front door", CLEANER_TAG, now);
    ks.faults(Faults::default());
    ks.open_lock_with_tag("Studio", CLEANER_TAG, now);
    let next = event(&mut stream).await.unwrap();
    assert!(next["arguments"][0].as_str().unwrap().contains("Studio"));
    assert_eq!((ks.entries().len(), ks.streams()), (3, (1, 1)));
    ks.close_streams(Some("Server shutting down"));
    let bye = event(&mut stream).await.unwrap();
    assert_eq!(
        (bye["type"].as_u64(), bye["error"].as_str()),
        (Some(7), Some("Server shutting down"))
    );
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_a_bad_one_opens_none() {
    let ks = Ks::start().unwrap();
    assert_eq!(negotiate(&ks, "nothing").await.0, 401);
    let old = token(&ks);
    let mut stream = open(&ks, &old).await;
    ks.advance(Duration::from_secs(3_601));
    assert_eq!(event(&mut stream).await, Some(json!({"type": 7})));
    assert_eq!(event(&mut stream).await, None);
    assert_eq!(negotiate(&ks, &old).await.0, 401);
    let mut stream = open(&ks, &token(&ks)).await;
    ks.drop_streams();
    assert_eq!(event(&mut stream).await, None);
}

#[tokio::test]
async fn the_hub_wants_an_administrator_and_the_feature() {
    let ks = Ks::start().unwrap();
    let token = token(&ks);
    ks.feature("events_streaming", false);
    assert_eq!(negotiate(&ks, &token).await.0, 403);
    ks.feature("events_streaming", true);
    assert_eq!(negotiate(&ks, &token).await.0, 200);
    for (faults, status) in [
        (
            Faults {
                no_admin: true,
                ..Faults::default()
            },
            403,
        ),
        (
            Faults {
                stream_away: true,
                ..Faults::default()
            },
            503,
        ),
    ] {
        ks.faults(faults);
        assert_eq!(negotiate(&ks, &token).await.0, status);
    }
}
