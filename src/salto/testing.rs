//! A configuration for tests of this room.

use crate::config::model::{KsConfig, KsLogin, Reach};
use std::{collections::BTreeMap, time::Duration};

/// With the defaults of the file.
pub(super) fn config() -> KsConfig {
    let url = || "http://127.0.0.1:1/".parse().unwrap();
    KsConfig {
        site: None,
        client_id: "client".into(),
        client_secret: crate::domain::secret::Secret::new("s3cret".into()),
        login: KsLogin::Code { redirect_url: None },
        identity_url: url(),
        url: url(),
        stream_url: url(),
        prefix: "Doorward ".into(),
        groups: BTreeMap::new(),
        invite: false,
        role: "site_user".into(),
        hold_share: 0.2,
        pinned: Vec::new(),
        bookings_ahead: Duration::from_secs(48 * 3_600),
        reconcile: Duration::from_secs(60),
        office_mode_counts: false,
        tag_reader: None,
        at_once: 8,
        reach: Reach {
            ca_file: None,
            timeout: Duration::from_secs(5),
        },
    }
}
