//! What an installer wants to see before anything is changed: whether each thing that the gateway needs may be read, what
//! the subscription has, and which lock is probably which door. Only reads.

use super::{
    Connect, KsError, KsKind, Session, SiteFacts,
    client::{V1_1, V1_2},
    model::{Lock, Site},
    sites,
};
use crate::config::{Config, model::KsConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names at least this alike are taken for the same: "front door" and "front desk" have 0.87.
const ALIKE: f64 = 0.9;

/// Everything that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// The address of the API.
    pub place: String,
    /// Sites that the login sees.
    pub sites: Vec<SiteName>,
    /// The site of the gateway; absent until one of several was chosen.
    pub site: Option<SiteSeen>,
    /// What was tried there.
    pub checks: Vec<Check>,
    /// Its locks.
    pub locks: Vec<LockName>,
    /// A lock for each door that has no reader here, by likeness of names. Suggestions: nothing is written.
    pub doors: Vec<DoorLine>,
    /// What to think about.
    pub warnings: Vec<String>,
}

impl Survey {
    /// Whether everything that is needed may be read.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.site.is_some() && self.checks.iter().all(|check| check.good)
    }
}

/// A site by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteName {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
}

/// What the site has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSeen {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// IANA zone there.
    pub zone: Option<String>,
    /// Seats of the subscription.
    pub seats: Option<u32>,
    /// Taken ones.
    pub seats_taken: Option<u32>,
    /// Whether the subscription runs.
    pub subscription_valid: Option<bool>,
    /// Whether entries come as they happen.
    pub events_streaming: bool,
    /// Whether a lock at the desk may register tags.
    pub smart_tag_assignment: bool,
    /// All features.
    pub features: Vec<String>,
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub what: String,
    /// Whether it is as it should be.
    pub good: bool,
    /// What was found, or why not and what to do.
    pub words: String,
}

/// A lock by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockName {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
}

/// Which lock is a door's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorLine {
    /// `[[door]] id`.
    pub door: String,
    /// What `ks_lock` says already.
    pub configured: Option<String>,
    /// A lock of a like name; or the configured one, if there is one.
    pub lock: Option<String>,
}

/// Looks at everything.
///
/// # Errors
/// When the login does not work at all; everything else is in the checks.
pub async fn survey(session: &Session, config: &Config) -> Result<Survey, KsError> {
    let connect = session.connect();
    session.look_again().await;
    let sites = session.sites().await?;
    let mut survey = Survey {
        place: connect.place().to_owned(),
        sites: sites.iter().map(named).collect(),
        site: None,
        checks: Vec::new(),
        locks: Vec::new(),
        doors: Vec::new(),
        warnings: Vec::new(),
    };
    match session.site().await {
        Ok(facts) => look(connect, &facts, session.config(), config, &mut survey).await?,
        Err(error) if matches!(error.kind, KsKind::NotFound | KsKind::Rejected) => {
            survey.checks.push(bad("site", error.text));
        }
        Err(error) if error.kind == KsKind::Forbidden => survey.checks.push(denied("site", &error)),
        Err(error) => return Err(error),
    }
    Ok(survey)
}

async fn look(
    connect: &Connect,
    facts: &SiteFacts,
    ks: &KsConfig,
    config: &Config,
    survey: &mut Survey,
) -> Result<(), KsError> {
    survey.checks = checks(connect, facts, ks).await?;
    let path = ["sites", facts.id.as_str(), "locks"];
    let locks = connect.list::<Lock>(V1_2, &path, &[], "list the locks").await;
    let locks = locks.unwrap_or_default(); // the checks say why there are none
    survey.locks = locks
        .iter()
        .map(|lock| LockName {
            id: lock.id.clone(),
            name: lock.customer_reference.clone().unwrap_or_else(|| lock.id.clone()),
        })
        .collect();
    survey.doors = door_lines(config, &survey.locks);
    survey.warnings = warnings(facts, ks, config, &survey.doors);
    survey.site = Some(SiteSeen {
        id: facts.id.clone(),
        name: facts.name.clone(),
        zone: facts.zone.clone(),
        seats: facts.seats,
        seats_taken: facts.seats_taken,
        subscription_valid: facts.subscription_valid,
        events_streaming: facts.events_streaming(),
        smart_tag_assignment: facts.smart_tag_assignment(),
        features: facts.features.iter().cloned().collect(),
    });
    Ok(())
}

/// Each permission by a read. What does not answer at all ends the survey.
async fn checks(connect: &Connect, facts: &SiteFacts, ks: &KsConfig) -> Result<Vec<Check>, KsError> {
    let site = facts.id.as_str();
    let first = [("$top", "1")];
    let last_entry = [("$top", "1"), ("$orderby", "utc_date_time desc")];
    let mut checks = Vec::new();
    let mut group = None;
    type Read<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);
    let reads: [Read<'_>; 7] = [
        ("users", V1_2, "users", &first),
        ("access groups", V1_2, "access_groups", &first),
        ("locks", V1_2, "locks", &first),
        ("IQs", V1_2, "iqs", &[]),
        ("tags", V1_2, "tags", &first),
        ("entries", V1_1, "entries", &last_entry),
        ("subscription", V1_2, "subscription", &[]),
    ];
    for (what, version, name, query) in reads {
        let seen = connect
            .get::<Value>(
                version,
                &["sites", site, name],
                query,
                &format!("read the {what}"),
            )
            .await;
        if name == "access_groups" {
            group = seen.as_ref().ok().and_then(first_id);
        }
        checks.push(check(what, seen)?);
    }
    checks.push(match &group {
        None => good("schedules", "not tried: there is no access group yet".into()),
        Some(group) => {
            let path = ["sites", site, "access_groups", group, "time_schedules"];
            check(
                "schedules",
                connect
                    .get(V1_1, &path, &[], "read the schedules of a group")
                    .await,
            )?
        }
    });
    checks.push(match facts.role_id() {
        Ok(_) => good("role", format!("{} is there", ks.role)),
        Err(error) => bad("role", error.text),
    });
    Ok(checks)
}

fn check(what: &str, seen: Result<Value, KsError>) -> Result<Check, KsError> {
    match seen {
        Ok(_) => Ok(good(what, "may be read".into())),
        Err(error)
            if matches!(
                error.kind,
                KsKind::Unreachable | KsKind::Unauthorised | KsKind::Tls
            ) =>
        {
            Err(error)
        }
        Err(error) if error.kind == KsKind::Forbidden => Ok(denied(what, &error)),
        Err(error) => Ok(bad(what, error.text)),
    }
}

fn denied(what: &str, error: &KsError) -> Check {
    let next = "make the gateway's user a site administrator in SALTO KS (Users, the user, Roles)";
    let code = error
        .code
        .map(|code| format!(", code {code}"))
        .unwrap_or_default();
    bad(
        what,
        format!(
            "may not be read (status {}{code}): {next}",
            error.status.unwrap_or(403)
        ),
    )
}

fn good(what: &str, words: String) -> Check {
    Check {
        what: what.into(),
        good: true,
        words,
    }
}

fn bad(what: &str, words: String) -> Check {
    Check {
        what: what.into(),
        good: false,
        words,
    }
}

/// The id of the first item, whichever form the list has.
fn first_id(list: &Value) -> Option<String> {
    let items = list.as_array().or_else(|| list.get("items")?.as_array())?;
    Some(items.first()?.get("id")?.as_str()?.to_owned())
}

fn named(site: &Site) -> SiteName {
    SiteName {
        id: site.id.clone(),
        name: sites::name(site).to_owned(),
    }
}

/// Doors that nothing here releases, each with the lock that is probably its own.
fn door_lines(config: &Config, locks: &[LockName]) -> Vec<DoorLine> {
    let mut taken: Vec<&str> = Vec::new();
    let doors = config.doors.iter().filter(|door| door.release.is_none());
    doors
        .map(|door| {
            let names = config.site.doors.iter().find(|named| named.id == door.id);
            let wanted = [Some(door.id.as_str()), names.map(|named| named.name.as_str())];
            let configured = door.ks_lock.as_deref();
            let found = match configured {
                Some(name) => locks.iter().find(|lock| lock.name == name || lock.id == name),
                None => likest(&wanted, locks, &taken),
            };
            taken.extend(found.map(|lock| lock.id.as_str()));
            DoorLine {
                door: door.id.as_str().to_owned(),
                configured: configured.map(str::to_owned),
                lock: found.map(|lock| lock.name.clone()),
            }
        })
        .collect()
}

fn likest<'a>(wanted: &[Option<&str>], locks: &'a [LockName], taken: &[&str]) -> Option<&'a LockName> {
    let likeness = |lock: &LockName| {
        let alike = |name: &&str| strsim::jaro_winkler(&folded(name), &folded(&lock.name));
        wanted.iter().flatten().map(alike).fold(0.0, f64::max)
    };
    let free = locks.iter().filter(|lock| !taken.contains(&lock.id.as_str()));
    free.map(|lock| (likeness(lock), lock))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, lock)| lock)
}

/// Without case and what stands between words.
fn folded(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn warnings(facts: &SiteFacts, ks: &KsConfig, config: &Config, doors: &[DoorLine]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |words: String| warnings.push(words);
    match facts.zone.as_deref() {
        Some(zone) if zone != config.site.zone => warn(format!(
            "the site's zone is {zone} at SALTO KS and {} in [site] zone: schedules there are meant in its own zone, so set both to the same",
            config.site.zone
        )),
        _ => {}
    }
    if facts.subscription_valid == Some(false) {
        warn("the site's subscription at SALTO KS does not run: nothing opens until it is renewed".into());
    }
    if let (Some(seats), Some(taken)) = (facts.seats, facts.seats_taken)
        && taken >= seats
    {
        warn(format!(
            "all {seats} seats are taken: whoever is added is suspended and opens nothing, until a seat is free or more are bought"
        ));
    }
    if !facts.events_streaming() {
        warn("the subscription has no events_streaming: entries are fetched instead of heard, and check-ins come later".into());
    }
    if ks.tag_reader.is_some() && !facts.smart_tag_assignment() {
        warn(
            "the subscription has no smart_tag_assignment: the lock of [ks] tag_reader cannot register tags"
                .into(),
        );
    }
    for door in doors {
        if let (Some(name), None) = (&door.configured, &door.lock) {
            warn(format!(
                "door {} names the lock \"{name}\", which the site does not have",
                door.door
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(name: &str) -> LockName {
        LockName {
            id: format!("id of {name}"),
            name: name.into(),
        }
    }

    #[test]
    fn a_door_gets_the_lock_of_a_like_name_and_no_lock_is_suggested_twice() {
        let locks = [lock("Front Door"), lock("Meeting room 2"), lock("Cellar")];
        let found = likest(&[Some("front-door"), None], &locks, &[]).unwrap();
        assert_eq!(found.name, "Front Door");
        let taken = [found.id.as_str()];
        assert!(likest(&[Some("front-door"), None], &locks, &taken).is_none());
        assert!(likest(&[Some("roof"), Some("Terrace")], &locks, &[]).is_none());
        assert!(likest(&[Some("front desk"), None], &locks, &[]).is_none());
    }

    #[test]
    fn the_first_item_of_either_form() {
        let both = [r#"[{"id":"g"}]"#, r#"{"items":[{"id":"g"}],"count":null}"#];
        for text in both {
            let list: Value = serde_json::from_str(text).unwrap();
            assert_eq!(first_id(&list).as_deref(), Some("g"));
        }
        assert_eq!(first_id(&Value::Array(Vec::new())), None);
    }
}
