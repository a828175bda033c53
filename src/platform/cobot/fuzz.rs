//! For [`crate::fuzzing`]: any answer of Cobot's, and any web hook, down to facts.

use super::{
    facts::{Space, translate},
    hooks,
    model::{self, Page},
    rows::Rows,
};
use crate::{
    config::model::{CardText, CobotConfig, Reach},
    domain::{Moment, secret::Secret},
    platform::Hook,
};
use jiff::tz::TimeZone;
use std::time::Duration;

/// The first byte chooses what the rest is.
pub(crate) fn answer(data: &[u8]) {
    let Some((which, body)) = data.split_first() else {
        return;
    };
    let mut rows = Rows::default();
    macro_rules! page {
        ($field:ident, $row:path) => {
            if let Ok(page) = serde_json::from_slice::<Page<_, _>>(body) {
                rows.$field = page.data.into_iter().map($row).collect();
            }
        };
    }
    macro_rules! list {
        ($field:ident, $row:expr) => {
            if let Ok(list) = serde_json::from_slice::<Vec<_>>(body) {
                rows.$field = list.into_iter().map($row).collect();
            }
        };
    }
    match which % 11 {
        0 => page!(members, model::member),
        1 => page!(plans, model::plan),
        2 => page!(teams, model::team),
        3 => page!(resources, model::resource),
        4 => page!(near, model::booking),
        5 => page!(externals, model::external),
        6 => page!(allocations, model::allocation),
        7 => page!(drop_ins, model::drop_in),
        8 => list!(passes, |it| model::pass(it, Some("m1"))),
        9 => list!(sessions, model::session),
        _ => {
            list!(tokens, model::token);
            hook(body);
        }
    }
    let space = Space {
        id: "s1".into(),
        name: String::new(),
        cards: CardText::Auto,
        zone: TimeZone::UTC,
    };
    let _ = translate(rows, &space);
}

fn hook(body: &[u8]) {
    let (Ok(url), Ok(site_url)) = (
        "https://api.cobot.me".parse(),
        "https://riverside.cobot.me".parse(),
    ) else {
        return;
    };
    let config = CobotConfig {
        subdomain: "riverside".into(),
        space: None,
        token: Secret::new(String::new()),
        url,
        site_url,
        cards: CardText::Auto,
        allowance: 1,
        reach: Reach {
            ca_file: None,
            timeout: Duration::from_secs(1),
        },
    };
    let hook = Hook {
        headers: &[],
        body,
        now: Moment::trusted(0),
    };
    let _ = hooks::hear(&hook, &config);
}
