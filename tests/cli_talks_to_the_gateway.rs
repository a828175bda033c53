//! The commands reach a running gateway over its control socket, and say clearly when there is none.

use doorward::{
    cli::client::{Client, ClientError},
    daemon::control::{Action, Control, ControlError, ControlSocket, Done, Refused, SOCKET, StatusDoc},
    health::Health,
};
use std::{
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::oneshot;

#[derive(Default)]
struct Gateway {
    health: Health,
    reloads: AtomicU32,
}

impl Control for Gateway {
    fn status(&self) -> StatusDoc {
        StatusDoc::new("riverside", 61, self.health.doc())
    }
    fn sync_now(&self) -> Action<'_> {
        Box::pin(async {
            Ok(Done {
                message: "3 grants".into(),
            })
        })
    }
    fn sync_accept(&self) -> Action<'_> {
        Box::pin(async {
            Err(Refused {
                message: "nothing is held".into(),
                hint: "all is in force".into(),
            })
        })
    }
    fn reload(&self) -> Action<'_> {
        Box::pin(async {
            self.reloads.fetch_add(1, Ordering::Relaxed);
            Ok(Done {
                message: "in force".into(),
            })
        })
    }
}

#[tokio::test]
async fn a_running_gateway_answers() {
    let folder = tempfile::tempdir().unwrap();
    let socket = ControlSocket::bind(folder.path()).unwrap();
    let mode = std::fs::metadata(folder.path().join(SOCKET))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o660);
    let gateway = Arc::new(Gateway::default());
    gateway
        .health
        .raise("reader_offline:front", "the reader is gone", 5);
    gateway
        .health
        .section("store", &serde_json::json!({ "events": 7 }));
    let (end, ended) = oneshot::channel::<()>();
    let served = tokio::spawn(socket.serve(gateway.clone(), axum::Router::new(), async { _ = ended.await }));

    let client = Client::new(folder.path());
    let status = client.status().await.unwrap();
    assert_eq!((status.site.as_str(), status.uptime_seconds), ("riverside", 61));
    assert_eq!(status.faults[0].key, "reader_offline:front");
    assert_eq!(status.sections["store"]["events"], 7);
    assert_eq!(client.sync_now().await.unwrap().message, "3 grants");
    let refused = client.sync_accept().await.unwrap_err();
    assert_eq!(
        (refused.to_string(), refused.hint()),
        ("nothing is held".into(), "all is in force".into())
    );
    client.reload().await.unwrap();
    assert_eq!(gateway.reloads.load(Ordering::Relaxed), 1);

    let second = ControlSocket::bind(folder.path());
    assert!(matches!(second, Err(ControlError::Taken(_))), "{second:?}");

    end.send(()).unwrap();
    served.await.unwrap().unwrap();
    assert!(matches!(client.status().await, Err(ClientError::NotRunning(_))));
    assert!(!folder.path().join(SOCKET).exists());
}

#[tokio::test]
async fn a_dead_gateways_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(SOCKET);
    // What kill -9 leaves: a file that nobody listens at.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let error = Client::new(folder.path()).status().await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning(_)), "{error}");
    ControlSocket::bind(folder.path()).unwrap();
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = ControlSocket::bind(&folder.path().join("none")).unwrap_err();
    assert!(error.to_string().contains("cannot be made"), "{error}");
}

#[tokio::test]
async fn something_else_at_the_socket_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::UnixListener::bind(folder.path().join(SOCKET)).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 smtp ready\r\n").await;
        }
    });
    let error = Client::new(folder.path()).status().await.unwrap_err();
    assert!(matches!(error, ClientError::Strange(_)), "{error:?}");
}
