//! What staff say of tags, in the gateway's own cards: the doors decide by it at once.

use super::ks_session::KsWatch;
use crate::{
    clock::Clock,
    domain::{Block, BlockTarget, Credential, EventKind, PersonId, event::Draft},
    doors::world::World,
    salto::tags::LocalCards,
    store::{KeptBlock, LocalCard, Store},
    sync::build,
};
use std::sync::Arc;

/// Who did it, as far as the socket tells.
const BY: &str = "the command line";

/// The gateway's own cards.
pub(super) struct OwnCards {
    pub(super) store: Store,
    pub(super) world: Arc<World>,
    pub(super) clock: Clock,
    pub(super) ks: KsWatch,
}

impl LocalCards for OwnCards {
    fn assign(&self, card: Credential, person: &PersonId) -> Result<(), String> {
        let row = LocalCard {
            note: "tag of SALTO KS".into(),
            added_at: self.clock.now().at,
            by: BY.into(),
            ..LocalCard::new(card, person.clone())
        };
        self.store
            .add_local_card(&row)
            .map_err(|error| error.to_string())?;
        self.record(
            EventKind::CardChanged,
            card,
            Some(person.clone()),
            "given to the person",
        );
        self.rework()
    }

    fn block(&self, cards: &[Credential], note: &str) -> Result<(), String> {
        for card in cards {
            let block = KeptBlock {
                block: Block {
                    target: BlockTarget::Credential(*card),
                    note: note.to_owned(),
                },
                by: BY.into(),
                at: self.clock.now().at,
            };
            self.store.keep_block(&block).map_err(|error| error.to_string())?;
            self.record(EventKind::BlockChanged, *card, None, "blocked");
        }
        self.rework()
    }
}

impl OwnCards {
    /// The doors decide by the cards as they are now.
    fn rework(&self) -> Result<(), String> {
        let config = self.ks.borrow().as_ref().map(|now| Arc::clone(&now.config));
        let Some(config) = config else { return Ok(()) };
        let _turn = self.store.in_turn();
        if let Some((_, built)) = build::rebuild(self.store.read(), &config)? {
            self.store
                .replace_image(&built.index.to_image())
                .map_err(|error| error.to_string())?;
            self.world.swap_index(Arc::new(built.index));
        }
        Ok(())
    }

    fn record(&self, kind: EventKind, card: Credential, person: Option<PersonId>, what: &str) {
        let now = self.clock.now();
        self.store.record(&Draft {
            credential: Some(card),
            person,
            detail: Some(format!("{what} by {BY}")),
            ..Draft::new(kind, now.at, now.quality())
        });
    }
}
