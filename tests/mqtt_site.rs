//! What the MQTT scenarios share: a journal in memory behind the outbox' trait, a running client, certificates.

use doorward::{
    building::{Outbox, OutboxError, run},
    clock::Clock,
    config::model::{MqttConfig, PersonDetail},
    domain::{
        EntryEvent, EventKind, Moment, Reason,
        event::{ClockQuality, Draft},
        secret::Secret,
    },
    health::{Health, HealthDoc},
};
use doorward_peers::mosquitto::{Message, Tls};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

/// For conditions that must come true at some time.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
/// The card behind every event of these tests.
pub(crate) const CARD: &str = "uid:04DEADBEEFCAFE";
/// When these tests begin.
pub(crate) const START: i64 = 1_750_000_000_000;

/// A journal in memory, with its cursor.
pub(crate) struct Journal {
    events: Mutex<Vec<EntryEvent>>,
    cursor: watch::Sender<u64>,
    committed: watch::Sender<u64>,
}

impl Journal {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            events: Mutex::default(),
            cursor: watch::Sender::new(0),
            committed: watch::Sender::new(0),
        })
    }

    /// Records taps at the door `front`, `at` an instant.
    pub(crate) fn taps(&self, count: usize, at: i64) {
        for _ in 0..count {
            let mut body = Draft::new(EventKind::Granted, at, ClockQuality::Trusted);
            body.door = Some("front".into());
            body.reader = Some("front-in".into());
            body.credential = Some(CARD.parse().unwrap());
            body.person = Some("m-77".into());
            body.person_name = Some("Ada Lovelace".into());
            body.reason = Some(Reason::GrantedPlan);
            body.source = Some("membership:77".into());
            body.rule = Some(1);
            self.record(body);
        }
    }

    pub(crate) fn record(&self, body: Draft) {
        let mut events = self.events.lock().unwrap();
        let seq = events.len() as u64 + 1;
        let id = format!("test-{seq}").into();
        events.push(EntryEvent { id, seq, body });
        drop(events);
        self.committed.send_replace(seq);
    }

    pub(crate) async fn wait_cursor(&self, seq: u64) {
        let mut cursor = self.cursor.subscribe();
        let reached = timeout(LIMIT, cursor.wait_for(|cursor| *cursor >= seq)).await;
        assert!(
            reached.is_ok(),
            "the cursor stays at {} before {seq}",
            *self.cursor.borrow()
        );
    }
}

impl Outbox for Journal {
    fn after(&self, seq: u64, limit: usize) -> Result<Vec<EntryEvent>, OutboxError> {
        let events = self.events.lock().unwrap();
        Ok(events
            .iter()
            .filter(|event| event.seq > seq)
            .take(limit)
            .cloned()
            .collect())
    }
    fn cursor(&self) -> u64 {
        *self.cursor.borrow()
    }
    fn acknowledge(&self, seq: u64) -> Result<(), OutboxError> {
        assert!(seq > *self.cursor.borrow(), "the cursor never goes back");
        self.cursor.send_replace(seq);
        Ok(())
    }
    fn wake(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }
}

/// A configuration for a plain broker on loopback.
pub(crate) fn config(port: u16) -> MqttConfig {
    MqttConfig {
        host: "127.0.0.1".into(),
        port,
        tls: false,
        ca_file: None,
        client_cert: None,
        login: None,
        topic: "doorward/test".into(),
        client_id: "doorward-test".into(),
        person: PersonDetail::Id,
        late_after: Duration::from_secs(120),
        keep_alive: Duration::from_secs(30),
        ack_timeout: Duration::from_secs(10),
    }
}

pub(crate) fn login(user: &str, password: &str) -> Option<(String, Secret)> {
    Some((user.into(), Secret::new(password.into())))
}

/// The client, running.
pub(crate) struct Gateway {
    pub(crate) health: Health,
    pub(crate) clock: Clock,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Gateway {
    pub(crate) fn start(config: MqttConfig, journal: &Arc<Journal>) -> Self {
        let health = Health::default();
        let clock = Clock::manual(Moment::trusted(START));
        let stop = watch::Sender::new(false);
        let outbox: Arc<dyn Outbox> = Arc::clone(journal) as _;
        let task = tokio::spawn(run(
            config,
            outbox,
            health.clone(),
            clock.clone(),
            stop.subscribe(),
        ));
        Self {
            health,
            clock,
            stop,
            task,
        }
    }

    /// Ends it in good order.
    pub(crate) async fn stop(self) -> Health {
        self.stop.send_replace(true);
        timeout(LIMIT, self.task).await.expect("it stops").unwrap();
        self.health
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    pub(crate) async fn wait_health(&self, wanted: impl Fn(&HealthDoc) -> bool) -> HealthDoc {
        let mut changes = self.health.watch();
        let found = timeout(LIMIT, async {
            loop {
                changes.borrow_and_update();
                let doc = self.health.doc();
                if wanted(&doc) {
                    return doc;
                }
                changes.changed().await.unwrap();
            }
        });
        found
            .await
            .unwrap_or_else(|_| panic!("not so: {:?}", self.health.doc()))
    }

    /// Waits for a fault and returns its text.
    pub(crate) async fn wait_fault(&self, key: &str) -> String {
        let doc = self
            .wait_health(|doc| doc.faults.iter().any(|fault| fault.key == key))
            .await;
        doc.faults
            .into_iter()
            .find(|fault| fault.key == key)
            .unwrap()
            .text
    }

    pub(crate) async fn wait_no_faults(&self) {
        self.wait_health(|doc| {
            let connected = doc
                .sections
                .get("mqtt")
                .is_some_and(|section| section["connected"] == true);
            connected && doc.faults.is_empty()
        })
        .await;
    }
}

/// The payloads of event topics, parsed.
pub(crate) fn events(messages: &[Message]) -> Vec<serde_json::Value> {
    let events = messages
        .iter()
        .filter(|message| message.topic.ends_with("/event"));
    events
        .map(|message| serde_json::from_str(&message.payload).unwrap())
        .collect()
}

/// Sequences in the order of their first appearance: repeats dropped by id, as a subscriber should.
pub(crate) fn first_seen(messages: &[Message]) -> Vec<u64> {
    let mut seen = std::collections::HashSet::new();
    let events = events(messages).into_iter();
    events
        .filter(|event| seen.insert(event["id"].as_str().unwrap().to_owned()))
        .map(|event| event["sequence"].as_u64().unwrap())
        .collect()
}

/// An authority of our own.
pub(crate) struct Authority {
    dir: PathBuf,
    pub(crate) ca: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(dir: &Path, name: &str) -> Self {
        let dir = dir.join(name);
        fs::create_dir_all(&dir).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = dir.join("ca.pem");
        fs::write(&ca, params.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Self { dir, ca, issuer }
    }

    /// A certificate and its key, for a host or a client.
    pub(crate) fn issue(&self, name: &str, hosts: &[&str]) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let files = (
            self.dir.join(format!("{name}.pem")),
            self.dir.join(format!("{name}.key")),
        );
        fs::write(&files.0, cert.pem()).unwrap();
        fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }

    /// A TLS listener for these hosts.
    pub(crate) fn listener(&self, hosts: &[&str], require_client_cert: bool) -> Tls {
        let (cert, key) = self.issue("broker", hosts);
        Tls {
            ca: self.ca.clone(),
            cert,
            key,
            require_client_cert,
        }
    }
}
