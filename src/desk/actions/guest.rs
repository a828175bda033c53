//! A card for a guest, which ends by itself.

use crate::{
    desk::{
        answers::{AtPlatform, Change},
        audit::{Action, Actor},
        decide::Refusal,
        directory::Hit,
        service::{Desk, DeskError},
    },
    domain::{Credential, GroupId, Millis, PersonId, say::desk as say},
    store::{CardKind, GUEST, Guest},
};
use serde::{Deserialize, Serialize};

/// The longest that a guest may stay.
const LONGEST_GUEST: Millis = 31 * 86_400_000;
/// The longest name of a guest, in characters: it stands on screens, in the journal and in the trail.
const LONGEST_NAME: usize = 100;

/// A guest who is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewGuest {
    /// Whose guest, or what the card is for.
    pub name: String,
    /// Which groups of doors.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Which single doors besides.
    #[serde(default)]
    pub doors: Vec<String>,
    /// When it ends, Unix milliseconds; absent: with the day, by the building's clock.
    #[serde(default)]
    pub until: Option<i64>,
}

impl Desk {
    /// Gives a card to a guest, with these doors until it ends by itself.
    ///
    /// # Errors
    /// Why not: the card is somebody's, there is no such group, the end is no end.
    pub fn guest(
        &self,
        card: &Credential,
        guest: &NewGuest,
        seen: Option<u64>,
        actor: &Actor,
    ) -> Result<Change, DeskError> {
        let guest = self.checked(guest, self.now(), actor)?;
        self.guest_has(card, &guest, seen, actor)
    }

    /// Gives a card to somebody who is a guest.
    pub(super) fn guest_has(
        &self,
        card: &Credential,
        guest: &Guest,
        seen: Option<u64>,
        actor: &Actor,
    ) -> Result<Change, DeskError> {
        let known = self.of_card(card)?;
        let plan = known
            .situation()
            .give(CardKind::Guest, &guest.id, None)
            .map_err(|code| self.no(code, &known, &guest.name))?;
        let done = self.carry_out(&known, plan, "", seen, Some(guest), actor)?;
        let hit = Hit {
            id: guest.id.as_str().to_owned(),
            name: guest.name.clone(),
            email: String::new(),
            company: String::new(),
            deactivated: false,
            cards: 1,
        };
        let mut change = self.told(&known, Some(&hit), done, true)?;
        change.platform = AtPlatform::KeptHere;
        change.message = format!("the card is {}'s until it ends by itself", guest.name);
        if !self.inner().clock.now().trusted {
            change.warnings.push(say::guest_needs_clock().into());
        }
        self.note(actor, Action::GuestGiven, card, Some(&hit), String::new());
        Ok(change)
    }

    fn checked(&self, guest: &NewGuest, now: Millis, actor: &Actor) -> Result<Guest, DeskError> {
        let config = self.inner().config.borrow().clone();
        let name = guest.name.trim();
        if name.is_empty() || guest.groups.is_empty() && guest.doors.is_empty() {
            return Err(DeskError::refused(Refusal::BadInput, say::guest_needs()));
        }
        if name.chars().count() > LONGEST_NAME || name.chars().any(steers) {
            return Err(DeskError::refused(
                Refusal::BadInput,
                say::guest_name(LONGEST_NAME),
            ));
        }
        let known = |group: &str| config.site.groups.iter().any(|it| it.id.as_str() == group);
        if let Some(wrong) = guest.groups.iter().find(|group| !known(group)) {
            return Err(DeskError::refused(
                Refusal::NoSuchGroup,
                say::group_unknown(wrong),
            ));
        }
        let known = |door: &str| config.site.doors.iter().any(|it| it.id.as_str() == door);
        if let Some(wrong) = guest.doors.iter().find(|door| !known(door)) {
            return Err(DeskError::refused(Refusal::NoSuchGroup, say::door_unknown(wrong)));
        }
        let until = match guest.until {
            Some(until) => until,
            None => end_of_day(now, &config.site.zone)
                .ok_or_else(|| DeskError::refused(Refusal::BadEnd, say::zone_unknown()))?,
        };
        if until <= now || until.saturating_sub(now) > LONGEST_GUEST {
            return Err(DeskError::refused(Refusal::BadEnd, say::guest_end()));
        }
        let ids: Vec<PersonId> = self
            .inner()
            .store
            .read()
            .guests()?
            .into_iter()
            .map(|it| it.id)
            .collect();
        let id = (now..)
            .map(|n| PersonId::from(format!("{GUEST}{n}")))
            .find(|id| !ids.contains(id));
        Ok(Guest {
            id: id.unwrap_or_else(|| GUEST.into()),
            name: name.to_owned(),
            from: now,
            until,
            groups: guest
                .groups
                .iter()
                .map(|group| GroupId::from(group.as_str()))
                .collect(),
            doors: guest.doors.iter().map(|door| door.as_str().into()).collect(),
            by: actor.name.clone(),
        })
    }
}

/// Whether a character would break the line, steer a terminal, or turn the words around it about (Unicode, UAX 9).
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The midnight after an instant, by the clock of a zone, Unix milliseconds.
fn end_of_day(now: Millis, zone: &str) -> Option<Millis> {
    let zone = jiff::tz::TimeZone::get(zone).ok()?;
    let today = jiff::Timestamp::from_millisecond(now).ok()?.to_zoned(zone);
    let tomorrow = today.tomorrow().ok()?.start_of_day().ok()?;
    Some(tomorrow.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_winter_and_when_the_clocks_change() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let end = |now: &str| end_of_day(at(now), "Europe/Madrid").unwrap();
        assert_eq!(end("2026-11-22T14:00:00Z"), at("2026-11-22T23:00:00Z"));
        assert_eq!(end("2026-03-29T00:30:00Z"), at("2026-03-29T22:00:00Z"));
        // There is no midnight in Cairo when its summer begins: the day ends with the clock's going from 0 to 1.
        let cairo = end_of_day(at("2026-04-23T20:00:00Z"), "Africa/Cairo").unwrap();
        assert_eq!(cairo, at("2026-04-23T22:00:00Z"));
        assert_eq!(end_of_day(0, "Nowhere/None"), None);
    }
}
