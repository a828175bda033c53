//! Rows that changed: since the last reading, or as hints name them.

use super::{
    client::not_understood,
    lists,
    patch::{Patch, Whose},
    pull::{Known, MOST_SINGLE, OVERLAP_MS, Pull, collect, written},
    rows,
};
use crate::{
    domain::{Millis, Text},
    platform::{Hint, PlatformError},
};
use std::collections::{BTreeMap, BTreeSet};

impl Pull<'_> {
    /// What changed since the last reading. `Ok(None)`: the platform does not say, so read everything.
    pub(super) async fn changed(&mut self, known: &Known) -> Result<Option<Patch>, PlatformError> {
        let Some(since) = known.since else {
            return Ok(None);
        };
        match self.since(known, since.saturating_sub(OVERLAP_MS)).await {
            Err(error) if not_understood(&error) => {
                tracing::info!(%error, "OfficeRnD does not say what changed; everything is read each time");
                self.quirks.no_modified_at = true;
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    async fn since(&mut self, known: &Known, since: Millis) -> Result<Patch, PlatformError> {
        let client = self.client;
        let property = client.config().card_property.as_str();
        let from = [("modifiedAt[$gte]", written(since))];
        let mut patch = Patch::default();
        let unread = &mut patch.unread;
        let (members, first) = collect(client, "people", "members", &from, unread, |row| {
            rows::member(row, property)
        })
        .await?;
        patch.since = first.began;
        macro_rules! read {
            ($field:ident, $collection:literal, $path:literal, $read:path) => {{
                let (found, _) = collect(client, $collection, $path, &from, unread, $read).await?;
                patch.$field = found.into_iter().map(|(id, row)| (id, Some(row))).collect();
            }};
        }
        read!(companies, "teams", "companies", rows::named);
        read!(resources, "resources", "resources", rows::resource);
        read!(memberships, "memberships", "memberships", rows::membership);
        read!(passes, "passes", "passes", rows::pass);
        patch.members = members.into_iter().map(|(id, row)| (id, Some(row))).collect();
        let mut changed = BTreeMap::new();
        let mut query = from.to_vec();
        query.extend(self.by_location());
        lists::each(client, &["bookings"], &query, |row| {
            if let Some(id) = rows::id(&row) {
                changed.insert(id, rows::booking(&row).ok().map(|(_, booking)| booking.resource));
            }
        })
        .await?;
        self.rebook(changed, known, &mut patch).await?;
        if self.quirks.assignments_by_resource {
            // One request for each desk and office is too many for a minute: what hangs on a changed membership, and
            // the rest with the next whole reading.
            let memberships: Vec<Text> = patch.memberships.keys().take(MOST_SINGLE).cloned().collect();
            for id in memberships {
                self.reassign(&id, &mut patch).await?;
            }
        } else {
            let (found, _) = self.assignments(&known.rows.resources, &mut patch.unread).await?;
            patch.all_assignments = Some(found);
        }
        Ok(patch)
    }

    /// The occurrences of bookings that changed: all of the resources that they are of now, none of those that they were.
    async fn rebook(
        &mut self,
        changed: BTreeMap<Text, Option<Text>>,
        known: &Known,
        patch: &mut Patch,
    ) -> Result<(), PlatformError> {
        let resources: BTreeSet<Text> = changed.values().flatten().cloned().collect();
        if resources.len() > MOST_SINGLE {
            let (found, _) = self.occurrences(known.span, None, &mut patch.unread).await?;
            patch.all_bookings = Some(found);
            return Ok(());
        }
        patch.gone_bookings.extend(changed.into_keys());
        for resource in resources {
            let (found, _) = self
                .occurrences(known.span, Some(&resource), &mut patch.unread)
                .await?;
            patch.bookings.insert(resource, found);
        }
        Ok(())
    }

    /// The assignments of one membership.
    async fn reassign(&mut self, membership: &str, patch: &mut Patch) -> Result<(), PlatformError> {
        let query = [("membership", membership.to_owned())];
        let (found, _) = collect(
            self.client,
            "assignments",
            "assignments",
            &query,
            &mut patch.unread,
            rows::assignment,
        )
        .await?;
        patch.assignments.insert(membership.into(), found);
        Ok(())
    }

    /// What hints name. `Ok(None)`: that is too much, or not to be narrowed.
    pub(super) async fn hinted(
        &mut self,
        known: &Known,
        hints: &[Hint],
    ) -> Result<Option<Patch>, PlatformError> {
        if hints.len() > MOST_SINGLE {
            return Ok(None);
        }
        let mut patch = Patch::default();
        for hint in hints {
            let narrowed = match hint {
                Hint::Object { collection, id } => self.object(collection, id, known, &mut patch).await?,
                Hint::Person(person) => self.person(person.as_str(), known, &mut patch).await?,
                Hint::Collection("assignments") if !self.quirks.assignments_by_resource => {
                    let (found, _) = self.assignments(&known.rows.resources, &mut patch.unread).await?;
                    patch.all_assignments = Some(found);
                    true
                }
                // Its check-ins are looked at in any case.
                Hint::Collection("check_ins") => true,
                Hint::Collection(_) | Hint::Anything | Hint::Pushed(_) => false,
            };
            if !narrowed {
                return Ok(None);
            }
        }
        Ok(Some(patch))
    }

    async fn object(
        &mut self,
        collection: &str,
        id: &str,
        known: &Known,
        patch: &mut Patch,
    ) -> Result<bool, PlatformError> {
        let client = self.client;
        let property = client.config().card_property.as_str();
        macro_rules! one {
            ($field:ident, $collection:literal, $path:literal, $read:expr) => {{
                let row = client.object($path, id).await?;
                let read = $read;
                match row.as_ref().map(read).transpose() {
                    Ok(made) => {
                        patch.$field.insert(id.into(), made);
                    }
                    Err(text) => {
                        patch.$field.insert(id.into(), None);
                        patch.unread.insert(($collection, id.into()), text);
                    }
                }
            }};
        }
        match collection {
            "people" => one!(members, "people", "members", |row| rows::member(row, property)),
            "teams" => one!(companies, "teams", "companies", rows::named),
            "memberships" => {
                one!(memberships, "memberships", "memberships", rows::membership);
                self.reassign(id, patch).await?;
            }
            "resources" => one!(resources, "resources", "resources", rows::resource),
            "passes" => one!(passes, "passes", "passes", rows::pass),
            "bookings" => {
                let row = client.object("bookings", id).await?;
                let resource = row
                    .as_ref()
                    .and_then(|row| Some(rows::booking(row).ok()?.1.resource));
                self.rebook(BTreeMap::from([(Text::from(id), resource)]), known, patch)
                    .await?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A member with everything that they hold, their company's passes too.
    async fn person(&mut self, id: &str, known: &Known, patch: &mut Patch) -> Result<bool, PlatformError> {
        self.object("people", id, known, patch).await?;
        let client = self.client;
        let query = [("member", id.to_owned())];
        let unread = &mut patch.unread;
        let (memberships, _) = collect(
            client,
            "memberships",
            "memberships",
            &query,
            unread,
            rows::membership,
        )
        .await?;
        let (passes, _) = collect(client, "passes", "passes", &query, unread, rows::pass).await?;
        for id in memberships.keys() {
            self.reassign(id, patch).await?;
        }
        patch.memberships_of.insert(id.into(), memberships);
        patch.passes_of.insert(Whose::Member(id.into()), passes);
        let company = patch
            .members
            .get(id)
            .and_then(|row| row.as_ref()?.company.clone());
        if let Some(company) = company {
            let query = [("company", company.to_string())];
            let (passes, _) =
                collect(client, "passes", "passes", &query, &mut patch.unread, rows::pass).await?;
            patch.passes_of.insert(Whose::Company(company), passes);
        }
        let mut theirs = BTreeMap::new();
        let mut query = query.to_vec();
        query.extend(self.by_location());
        lists::each(client, &["bookings"], &query, |row| {
            if let (Some(id), Ok((_, booking))) = (rows::id(&row), rows::booking(&row)) {
                theirs.insert(id, Some(booking.resource));
            }
        })
        .await?;
        let before = known
            .rows
            .bookings
            .iter()
            .filter(|(_, row)| row.member.as_deref() == Some(id));
        for ((booking, _), _) in before {
            theirs.entry(booking.clone()).or_insert(None);
        }
        self.rebook(theirs, known, patch).await?;
        Ok(true)
    }
}
