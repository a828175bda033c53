//! MQTT: events out, health retained, and a watchdog over the client (issue: rumqttc 1056).
//!
//! Nothing is subscribed, so nothing from the network is believed but acknowledgements. The broker is never
//! trusted to keep events: the outbox' cursor moves on an acknowledgement only, and every connection is a new
//! client with a clean session that begins behind the cursor. `docs/mqtt.md` is the integrator's view.
//!
//! | file | what |
//! | --- | --- |
//! | `outbox` | where events come from: what the store lends to this room |
//! | `topic` | the topics and what may stand in them |
//! | `payload` | the JSON of an event, `late` included |
//! | `health` | the retained health document, its last will and its pace |
//! | `delivery` | the pure core: window, packet identifiers, timeouts, cursor |
//! | `backoff` | how long to wait before the next attempt |
//! | `connect` | configuration to client options and TLS |
//! | `failure` | what went wrong, in words for people |
//! | `session` | one connection: a client on a task of its own |
//! | `driver` | [`run`]: the thin part with sockets and timers |
//! | `farewell` | the end in good order |

mod backoff;
mod connect;
mod delivery;
mod driver;
mod failure;
mod farewell;
mod health;
mod outbox;
mod payload;
mod session;
mod topic;

pub use delivery::{Delivery, Input, Output, WINDOW};
pub use driver::run;
pub use outbox::{Outbox, OutboxError};
pub use payload::{EventDoc, PersonDoc, Reader, event_json};
pub use topic::{TopicError, Topics, check_topic};
