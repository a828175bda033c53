//! Which site, and what it has: chosen by the configuration, else by the installer, else because there is only one.

use super::{
    KsError, KsKind,
    model::{Role, Site, Subscription},
};
use std::collections::BTreeSet;

/// What the gateway knows of its site at KS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFacts {
    /// UUID: what addresses name.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// IANA zone in which its schedules are meant.
    pub zone: Option<String>,
    /// How many seats the subscription has.
    pub seats: Option<u32>,
    /// How many of them are taken.
    pub seats_taken: Option<u32>,
    /// Whether the subscription runs.
    pub subscription_valid: Option<bool>,
    /// Features of the subscription; empty when KS does not say.
    pub features: BTreeSet<String>,
    /// The id of the role that `[ks] role` names.
    pub role: Option<String>,
    /// All roles.
    pub roles: Vec<Role>,
}

impl SiteFacts {
    /// Puts together what KS said. `role`: the code of the role that users get.
    #[must_use]
    pub fn new(site: &Site, subscription: Option<Subscription>, roles: Vec<Role>, role: &str) -> Self {
        let subscription = subscription.unwrap_or_default();
        let same = |one: &&Role| one.code.as_deref() == Some(role);
        Self {
            id: site.id.clone(),
            name: name(site).to_owned(),
            zone: site.time_zone.clone(),
            seats: subscription.user_amount.or(site.subscribed_user_amount),
            seats_taken: site.active_user_amount,
            subscription_valid: site.subscription_valid,
            features: subscription.features.into_iter().collect(),
            role: roles.iter().find(same).map(|one| one.id.clone()),
            roles,
        }
    }

    /// Whether entries come as they happen.
    #[must_use]
    pub fn events_streaming(&self) -> bool {
        self.features.contains("events_streaming")
    }

    /// Whether a lock at the desk may register tags.
    #[must_use]
    pub fn smart_tag_assignment(&self) -> bool {
        self.features.contains("smart_tag_assignment")
    }

    /// The role that users get.
    ///
    /// # Errors
    /// `Rejected` when the site has no such role; the words list those that it has.
    pub fn role_id(&self) -> Result<&str, KsError> {
        self.role.as_deref().ok_or_else(|| {
            let codes: Vec<&str> = self
                .roles
                .iter()
                .filter_map(|role| role.code.as_deref())
                .collect();
            KsError::new(
                KsKind::Rejected,
                format!(
                    "site \"{}\" has no role with the code that [ks] role names; it has {}",
                    self.name,
                    codes.join(", ")
                ),
            )
        })
    }
}

/// What people call a site.
#[must_use]
pub fn name(site: &Site) -> &str {
    let given = site.customer_reference.as_deref();
    given.filter(|name| !name.trim().is_empty()).unwrap_or(&site.id)
}

/// The site: the configured one, else the chosen one, else the only one.
///
/// # Errors
/// `NotFound` when the login does not see it, `Rejected` when there are several and nobody chose; with their names.
pub fn choose<'a>(
    sites: &'a [Site],
    configured: Option<&str>,
    chosen: Option<&str>,
) -> Result<&'a Site, KsError> {
    let by_id = |id: &str| sites.iter().find(|site| site.id.eq_ignore_ascii_case(id));
    let missing = |which: &str, next: &str| {
        let text = format!(
            "the login at SALTO KS does not see {which}; it sees {}; {next}",
            listed(sites)
        );
        Err(KsError::new(KsKind::NotFound, text))
    };
    match (configured, chosen, sites) {
        (Some(id), ..) => by_id(id).map_or_else(
            || missing("the site of [ks] site", "write the UUID of one of them there"),
            Ok,
        ),
        (None, _, []) => missing("any site", "make the gateway's user an administrator of the site"),
        (None, Some(id), _) if by_id(id).is_some() => by_id(id).map_or_else(|| missing("it", ""), Ok),
        (None, None, [only]) => Ok(only),
        (None, Some(_), _) => missing(
            "the site that was chosen",
            "choose again with `doorward ks connect --site UUID`",
        ),
        (None, None, _) => Err(KsError::new(
            KsKind::Rejected,
            format!(
                "there are several sites at SALTO KS: {}; choose one with `doorward ks connect --site UUID`",
                listed(sites)
            ),
        )),
    }
}

fn listed(sites: &[Site]) -> String {
    if sites.is_empty() {
        return "none".into();
    }
    let one = |site: &Site| format!("{} ({})", name(site), site.id);
    sites.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(id: &str, name: &str) -> Site {
        serde_json::from_value(serde_json::json!({ "id": id, "customer_reference": name })).unwrap()
    }

    #[test]
    fn the_configured_one_then_the_chosen_one_then_the_only_one() {
        let two = [site("a1", "North"), site("b2", "South")];
        let id = |sites: &[Site], configured, chosen| {
            choose(sites, configured, chosen)
                .map(|site| site.id.clone())
                .map_err(|error| error.text)
        };
        assert_eq!(id(&two, Some("B2"), Some("a1")).unwrap(), "b2");
        assert_eq!(id(&two, None, Some("a1")).unwrap(), "a1");
        assert_eq!(id(&two[..1], None, None).unwrap(), "a1");
        let several = id(&two, None, None).unwrap_err();
        assert!(several.contains("North (a1), South (b2)"), "{several}");
        let wrong = id(&two, Some("DE123"), None).unwrap_err();
        assert!(
            wrong.contains("[ks] site") && wrong.contains("North (a1)"),
            "{wrong}"
        );
        let gone = id(&two[..1], None, Some("zz")).unwrap_err();
        assert!(
            gone.contains("choose again"),
            "a choice is not replaced by itself: {gone}"
        );
        assert!(id(&[], None, None).unwrap_err().contains("administrator"));
    }

    #[test]
    fn the_role_is_found_by_its_code_and_its_absence_names_the_others() {
        let roles: Vec<Role> =
            serde_json::from_str(r#"[{"id":"r1","code":"site_admin"},{"id":"r2","code":"site_user"}]"#)
                .unwrap();
        let facts = SiteFacts::new(&site("a", "North"), None, roles.clone(), "site_user");
        assert_eq!(facts.role_id().unwrap(), "r2");
        let facts = SiteFacts::new(&site("a", "North"), None, roles, "visitor");
        assert!(
            facts
                .role_id()
                .unwrap_err()
                .text
                .contains("site_admin, site_user")
        );
    }
}
