//! Answers that no cloud of ours gives: a server that says one thing to whoever asks.
#![cfg(test)] // so that the lints know helpers here for test code

use doorward::{
    config::model::{HttpConfig, Reach},
    domain::secret::Secret,
    platform::{ErrorKind, Fetched, Platform, PlatformError, contract::ContractCloud},
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// What a gateway makes of facts when the server answers with `body`, and stops after `sent` bytes of it.
async fn facts(body: &str, sent: usize) -> Result<Fetched, PlatformError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = format!("{head}{}", &body[..sent]);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _ = connection.read(&mut request).await;
            let _ = connection.write_all(answer.as_bytes()).await;
            held.push(connection); // open, and silent from now on
        }
    });
    let config = HttpConfig {
        url: url.parse().unwrap(),
        token: Secret::new("token".into()),
        reach: Reach {
            ca_file: None,
            timeout: Duration::from_millis(500),
        },
    };
    ContractCloud::new(&config).unwrap().fetch(None).await
}

fn page(version: &str) -> String {
    format!("{{\"version\": {version}, \"complete\": true, \"facts\": {{}}}}")
}

#[tokio::test]
async fn a_version_that_no_version_can_follow_is_refused() {
    for version in ["0", "9223372036854775808", "18446744073709551615"] {
        let body = page(version);
        let error = facts(&body, body.len()).await.unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind, ErrorKind::Malformed, "{text}");
        assert!(text.contains(&format!("its version is {version}")), "{text}");
    }
    let body = page("9223372036854775807");
    assert!(matches!(
        facts(&body, body.len()).await,
        Ok(Fetched::Facts { .. })
    ));
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_told_in_a_sentence() {
    let body = page("7");
    let error = facts(&body, 10).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{text}");
    assert!(
        text.contains("so this gateway could not read page 1 of the facts"),
        "{text}"
    );
}
