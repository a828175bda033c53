//! What happens between the look at a card and its change.

use super::*;
use crate::{
    clock::Clock,
    config::{self, Environment},
    desk::{
        Around, Audit, Doors,
        audit::Subject,
        readers::{Places, Readers},
    },
    domain::{
        Block, Moment,
        facts::{Facts, Person},
    },
    health::Health,
    store::{SnapshotMeta, Store, StoreOptions},
};
use std::{cell::Cell, sync::Arc};
use tokio::sync::watch;

const FOB: &str = "uid:04A2B3C4D5E680";

struct Nobody;

impl Audit for Nobody {
    fn note(&self, _: &Actor, _: Action, _: &Subject) {}
}

impl Doors for Nobody {
    fn rework(&self, _: &[Block]) -> Result<bool, String> {
        Ok(true)
    }
}

struct Site {
    desk: Desk,
    store: Store,
    actor: Actor,
    _folder: tempfile::TempDir,
}

impl Site {
    /// Ana, Ben and Cleo, without a card.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.toml");
        std::fs::write(&path, "[site]\nid = \"here\"\nzone = \"Europe/Madrid\"\n").unwrap();
        let config = config::load(&path, &Environment::default()).unwrap();
        let (clock, health) = (
            Clock::manual(Moment::trusted(1_800_000_000_000)),
            Health::default(),
        );
        let options = StoreOptions::new(folder.path().join("state"), folder.path().join("run"));
        let (store, _) = Store::open(&options, &clock, &health).unwrap();
        let (readers, _) = Readers::start(None, &[], Places::default(), clock.clone(), health.clone());
        let desk = Desk::new(Around {
            store: store.clone(),
            clock,
            health,
            audit: Arc::new(Nobody),
            doors: Arc::new(Nobody),
            config: watch::channel(Arc::new(config)).1,
            platform: watch::channel(None).1,
            swaps: watch::channel(0).1,
            readers,
        });
        let site = Self {
            desk,
            store,
            actor: Actor {
                name: "Maria".into(),
                role: "desk".into(),
                address: String::new(),
                user: String::new(),
            },
            _folder: folder,
        };
        site.platform_says(1, None);
        site
    }

    /// The platform's facts, with the fob as this person's card.
    fn platform_says(&self, version: u64, holder: Option<&str>) {
        let people = ["ana", "ben", "cleo"].map(|id| Person {
            credentials: holder
                .filter(|holder| *holder == id)
                .map(|_| fob())
                .into_iter()
                .collect(),
            ..Person::new(id, id)
        });
        let facts = Facts {
            version,
            people: people.into(),
            ..Facts::default()
        };
        let meta = SnapshotMeta {
            version,
            ..SnapshotMeta::default()
        };
        self.store.apply_snapshot(&meta, &facts, b"").unwrap();
    }

    /// The platform says by itself now what the desk did: as a pull does it, with nobody at the desk.
    fn settle(&self, version: u64, holder: &str) {
        self.platform_says(version, Some(holder));
        let row = self.store.read().local_card(&fob()).unwrap().unwrap();
        assert_eq!(self.store.settle_cards(&[(fob(), row.revision)]).unwrap(), 1);
    }

    fn holders(&self) -> Vec<PersonId> {
        self.desk.of_card(&fob()).unwrap().situation().holders()
    }
}

fn fob() -> Credential {
    FOB.parse().unwrap()
}

#[test]
fn what_the_facts_took_over_between_look_and_change_is_changed_all_the_same() {
    let site = Site::new();
    let (ana, ben) = (PersonId::from("ana"), PersonId::from("ben"));
    site.desk.assign(&fob(), &ana, None, &site.actor).unwrap();
    let give = Give {
        person: &ben,
        from: Some(&ana),
        seen: None,
    };
    let looks = Cell::new(0);
    let moved = site.desk.unless_settled(&fob(), |known| {
        looks.set(looks.get() + 1);
        if looks.get() == 1 {
            site.settle(2, "ana");
        }
        site.desk.give_once(known, &give, &site.actor, true)
    });
    assert_eq!((moved.unwrap().person.as_str(), looks.get()), ("ben", 2));
    assert_eq!(site.holders(), [ben]);

    // And taken back.
    let looks = Cell::new(0);
    let taken = site.desk.unless_settled(&fob(), |known| {
        looks.set(looks.get() + 1);
        if looks.get() == 1 {
            site.settle(3, "ben");
        }
        site.desk.take_once(known, None, &site.actor, Action::Returned)
    });
    assert!(taken.is_ok() && looks.get() == 2, "{taken:?}");
    assert_eq!(site.holders(), []);
}

#[test]
fn what_somebody_changed_between_look_and_change_is_not_changed_again() {
    let site = Site::new();
    let (ana, ben) = (PersonId::from("ana"), PersonId::from("ben"));
    site.desk.assign(&fob(), &ana, None, &site.actor).unwrap();
    let looks = Cell::new(0);
    let taken = site.desk.unless_settled(&fob(), |known| {
        looks.set(looks.get() + 1);
        site.desk
            .move_card(&fob(), &ben, &ana, None, &site.actor)
            .unwrap();
        site.desk.take_once(known, None, &site.actor, Action::Returned)
    });
    let refused = matches!(
        &taken,
        Err(DeskError::Refused {
            code: Refusal::Meanwhile,
            ..
        })
    );
    assert!(refused && looks.get() == 1, "{taken:?}");
    assert_eq!(site.holders(), [ben], "whoever was first has it");
}
