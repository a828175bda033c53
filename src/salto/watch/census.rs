//! Who still gets in when a lock is cut off from its IQ: only keys with offline access, whatever the hour. That is a flag of
//! each key, so it takes a request a person; they are asked for slowly, once a day.

use crate::salto::{
    Connect, KsError, KsKind,
    client::{V1_1, V1_2},
    model::{AccessGroup, SiteUser},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// After so many refusals in a row nobody's keys may be read.
const ENOUGH: usize = 3;

/// What happens at one lock while it is cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOff {
    /// Who may open it now.
    pub people: usize,
    /// How many of them have a key with offline access.
    pub keep: usize,
    /// Who would stand outside, by name.
    pub lose: Vec<String>,
    /// How many whose keys could not be read.
    pub unknown: usize,
}

/// Of all locks, by UUID.
pub type Census = BTreeMap<String, CutOff>;

/// A group of access, as far as this looks at one.
#[derive(Clone, Debug, Default)]
struct Group {
    people: BTreeSet<String>,
    locks: BTreeSet<String>,
}

/// Counts. `locks`: the locks that matter. `pace`: a pause after each request.
///
/// # Errors
/// As KS refuses the lists; keys that cannot be read are counted as unknown.
pub async fn census(
    connect: &Connect,
    site: &str,
    locks: &BTreeSet<String>,
    pace: Duration,
) -> Result<Census, KsError> {
    let mut groups = Vec::new();
    let path = ["sites", site, "access_groups"];
    for group in connect
        .list::<AccessGroup>(V1_2, &path, &[], "list the access groups")
        .await?
    {
        let of = |what| ["sites", site, "access_groups", group.id.as_str(), what];
        let inside = connect
            .list::<Value>(V1_1, &of("locks"), &[], "list a group's locks")
            .await?;
        tokio::time::sleep(pace).await;
        let inside: BTreeSet<String> = inside.iter().filter_map(|lock| id(lock, "/lock/id")).collect();
        if inside.is_disjoint(locks) {
            continue;
        }
        let people = connect
            .list::<Value>(V1_2, &of("users"), &[], "list a group's members")
            .await?;
        tokio::time::sleep(pace).await;
        groups.push(Group {
            people: people.iter().filter_map(|user| id(user, "/user/id")).collect(),
            locks: inside,
        });
    }
    let users = connect
        .list::<SiteUser>(V1_2, &["sites", site, "users"], &[], "list the users")
        .await?;
    let matter: BTreeSet<&String> = groups.iter().flat_map(|group| &group.people).collect();
    let (mut people, mut refused) = (BTreeMap::new(), 0);
    for user in users.iter().filter(|user| matter.contains(&user.user.id)) {
        // Who opens nothing now loses nothing.
        if user.blocked || user.is_suspended() {
            continue;
        }
        let offline = match refused {
            ENOUGH => None,
            _ => has_offline(connect, site, &user.id).await?,
        };
        refused = if offline.is_some() {
            0
        } else {
            (refused + 1).min(ENOUGH)
        };
        let name = user
            .alias
            .clone()
            .unwrap_or_else(|| "somebody without a name".into());
        people.insert(user.user.id.clone(), (name, offline));
        if refused < ENOUGH {
            tokio::time::sleep(pace).await;
        }
    }
    Ok(counted(&groups, locks, &people))
}

/// Whether a person has a key that works without the IQ; absent when nobody may read that.
async fn has_offline(connect: &Connect, site: &str, user: &str) -> Result<Option<bool>, KsError> {
    let path = ["sites", site, "users", user, "keys"];
    match connect
        .list::<Value>(V1_2, &path, &[], "read a person's keys")
        .await
    {
        Ok(keys) => {
            let works = |key: &Value| key.get("offline_access").and_then(Value::as_bool) == Some(true);
            Ok(Some(keys.iter().any(works)))
        }
        Err(error)
            if matches!(
                error.kind,
                KsKind::Unreachable | KsKind::Throttled { .. } | KsKind::Unauthorised
            ) =>
        {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

/// The id of what is listed itself, or inside a link to it: both were seen.
fn id(row: &Value, inside: &str) -> Option<String> {
    let id = row.pointer(inside).or_else(|| row.get("id"))?;
    id.as_str().map(str::to_owned)
}

fn counted(
    groups: &[Group],
    locks: &BTreeSet<String>,
    people: &BTreeMap<String, (String, Option<bool>)>,
) -> Census {
    let at = |lock: &String| {
        let open = groups.iter().filter(|group| group.locks.contains(lock));
        let who: BTreeSet<&String> = open.flat_map(|group| &group.people).collect();
        let mut cut = CutOff::default();
        for (name, offline) in who.into_iter().filter_map(|id| people.get(id)) {
            cut.people += 1;
            match offline {
                Some(true) => cut.keep += 1,
                Some(false) => cut.lose.push(name.clone()),
                None => cut.unknown += 1,
            }
        }
        cut.lose.sort();
        cut
    };
    locks.iter().map(|lock| (lock.clone(), at(lock))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn everybody_counts_once_a_lock() {
        let group = |people: &[&str], locks: &[&str]| Group {
            people: set(people),
            locks: set(locks),
        };
        let groups = [
            group(&["a", "b"], &["front"]),
            group(&["b", "c", "gone"], &["front", "side"]),
        ];
        let person = |name: &str, offline| (name.to_owned(), offline);
        let people = BTreeMap::from([
            ("a".to_owned(), person("Ada", Some(true))),
            ("b".to_owned(), person("Bea", Some(false))),
            ("c".to_owned(), person("Cy", None)),
        ]);
        let census = counted(&groups, &set(&["front", "side", "roof"]), &people);
        let front = CutOff {
            people: 3,
            keep: 1,
            lose: vec!["Bea".into()],
            unknown: 1,
        };
        assert_eq!(census["front"], front);
        assert_eq!((census["side"].people, census["side"].unknown), (2, 1));
        assert_eq!(census["roof"], CutOff::default());
    }

    #[test]
    fn an_id_stands_by_itself_or_in_a_link() {
        let row = |text| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(
            id(&row(r#"{"id":"s","user":{"id":"u"}}"#), "/user/id").as_deref(),
            Some("u")
        );
        assert_eq!(id(&row(r#"{"id":"u"}"#), "/user/id").as_deref(), Some("u"));
    }
}
