//! One connection to the broker: a new client on a task of its own.
//!
//! The client's event loop is not safe to drop and call again between two packets, may panic on nonsense, and can
//! wedge for good when a session is lost (rumqttc issue 1056). So each connection has a new one, on a task that can
//! be thrown away, and nothing but messages passes between.

use super::{
    connect::Options,
    failure::{self, Failure},
};
use crate::config::model::MqttConfig;
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, Incoming, Outgoing, QoS};
use std::sync::Arc;
use tokio::{sync::mpsc, task::JoinHandle};

/// What the client reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The broker accepted the connection.
    Connected,
    /// The next publish was written under this packet identifier.
    Sent(u16),
    /// The broker acknowledged it.
    Acked(u16),
    /// The connection is over, in good order or not.
    Over(Failure),
}

/// Dropping it drops the socket without a farewell: the broker then publishes the last will.
pub(super) struct Session {
    client: AsyncClient,
    heard: mpsc::Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Session {
    /// Begins to connect. `room`: how many publishes may wait for the client at once.
    pub(super) fn start(options: Options, config: Arc<MqttConfig>, room: usize) -> Self {
        let (client, mut events) = AsyncClient::new(options.mqtt, room);
        events.set_network_options(options.network);
        let (tell, heard) = mpsc::channel(room.saturating_mul(4));
        let task = tokio::spawn(drive(events, config, tell));
        Self { client, heard, task }
    }

    /// The next report. `None` if the client's task died, which is a defect of the client.
    pub(super) async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }

    /// Hands a publish to the client without waiting. False if it has no room or is gone.
    pub(super) fn publish(&self, topic: &str, retain: bool, payload: Vec<u8>) -> bool {
        self.client
            .try_publish(topic, QoS::AtLeastOnce, retain, payload)
            .is_ok()
    }

    /// Says goodbye, so that the broker does not publish the last will.
    pub(super) fn disconnect(&self) -> bool {
        self.client.try_disconnect().is_ok()
    }
}

async fn drive(mut events: EventLoop, config: Arc<MqttConfig>, tell: mpsc::Sender<Heard>) {
    let mut connected = false;
    loop {
        let heard = match events.poll().await {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                connected = true;
                Heard::Connected
            }
            Ok(Event::Incoming(Incoming::PubAck(ack))) => Heard::Acked(ack.pkid),
            Ok(Event::Outgoing(Outgoing::Publish(pkid))) => Heard::Sent(pkid),
            Ok(Event::Outgoing(Outgoing::Disconnect)) => Heard::Over(failure::explain(
                &ConnectionError::RequestsDone,
                &config,
                connected,
            )),
            Ok(_) => continue,
            Err(error) => Heard::Over(failure::explain(&error, &config, connected)),
        };
        let over = matches!(heard, Heard::Over(_));
        if tell.send(heard).await.is_err() || over {
            return;
        }
    }
}
