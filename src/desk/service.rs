//! The desk itself: what every action shares. Its calls wait for the disk: not for async tasks, which put them on a thread
//! that may block.

use super::{
    answers::Look,
    audit::{Actor, Audit},
    decide::{Refusal, Situation},
    directory::Directory,
    people::Cached,
    readers::Readers,
    refs::Names,
};
use crate::{
    clock::Clock,
    config::{
        Config,
        model::{CardText, CloudConfig},
    },
    domain::{
        Block, BlockTarget, Credential, Millis, PersonId,
        credential::Scheme,
        say::{Said, desk as say},
    },
    health::Health,
    platform::Platform,
    store::{CardChange, CardKind, Changed, Guest, KeptBlock, LocalCard, Store, StoreError},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// Where what the desk does takes effect.
pub trait Doors: Send + Sync {
    /// Works the stored facts out again with what the gateway itself holds, and puts that in force at once. `unkept`: blocks
    /// that hold as well, though the disk did not take them. False: nothing was ever fetched, so nobody has any right.
    ///
    /// # Errors
    /// In words: what was in force stays.
    fn rework(&self, unkept: &[Block]) -> Result<bool, String>;
}

/// What the desk is put up with.
pub struct Around {
    /// Where it is kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Where conflicts are shown.
    pub health: Health,
    /// Who keeps who did what.
    pub audit: Arc<dyn Audit>,
    /// Where it takes effect.
    pub doors: Arc<dyn Doors>,
    /// The configuration of the time.
    pub config: watch::Receiver<Arc<Config>>,
    /// The platform of the time.
    pub platform: watch::Receiver<Option<Arc<dyn Platform>>>,
    /// Changes whenever other rights came into force.
    pub swaps: watch::Receiver<u64>,
    /// The desk's readers.
    pub readers: Readers,
}

impl std::fmt::Debug for Around {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Around") // everything in it is shown elsewhere
    }
}

/// The desk. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk(Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) health: Health,
    pub(super) audit: Arc<dyn Audit>,
    pub(super) doors: Arc<dyn Doors>,
    pub(super) config: watch::Receiver<Arc<Config>>,
    pub(super) platform: watch::Receiver<Option<Arc<dyn Platform>>>,
    pub(super) swaps: watch::Receiver<u64>,
    pub(super) readers: Readers,
    pub(super) names: Names,
    pub(super) directory: Mutex<Option<Cached>>,
    /// Which rows were compared with which facts: nothing else has to be looked at again.
    pub(super) compared: Mutex<Option<Compared>>,
    /// Blocks that the disk did not take: tried again, and in force meanwhile.
    pub(super) unkept: Mutex<Vec<KeptBlock>>,
    /// Rings when there is something to tell the platform.
    pub(super) bell: Notify,
    /// One step of a queue at a time.
    pub(super) queue: Mutex<()>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

/// The version of the facts and when they were taken, and the revisions of the desk's rows.
pub(super) type Compared = ((u64, Millis), Vec<u64>);

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// It is not to be done so.
    #[error("{message}")]
    Refused {
        /// Why, as a stable name.
        code: Refusal,
        /// In words.
        message: String,
        /// The card as it is, where the refusal is about one.
        look: Option<Box<Look>>,
    },
    /// The disk or the index does not play along.
    #[error("{0}")]
    Failed(String),
}

impl DeskError {
    pub(crate) fn refused(code: Refusal, message: Said) -> Self {
        Self::Refused {
            code,
            message: message.into(),
            look: None,
        }
    }

    /// What to do next; may be empty.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused { code, .. } => code.hint(),
            Self::Failed(_) => "`doorward report` tells how the disk is",
        }
    }
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What is known of one card.
pub(super) struct OfCard {
    pub(super) card: Credential,
    pub(super) directory: Arc<Directory>,
    pub(super) platform: Vec<PersonId>,
    pub(super) row: Option<LocalCard>,
    pub(super) guest: Option<Guest>,
    pub(super) blocked: Option<KeptBlock>,
    told: bool,
    now: Millis,
}

impl OfCard {
    pub(super) fn situation(&self) -> Situation<'_> {
        Situation {
            card: self.card,
            platform: &self.platform,
            row: self.row.as_ref(),
            guest_over: self.guest.as_ref().is_some_and(|guest| guest.until <= self.now),
            blocked: self.blocked.as_ref(),
            told: self.told,
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// A desk.
    #[must_use]
    pub fn new(around: Around) -> Self {
        let Around {
            store,
            clock,
            health,
            audit,
            doors,
            config,
            platform,
            swaps,
            readers,
        } = around;
        Self(Arc::new(Inner {
            store,
            clock,
            health,
            audit,
            doors,
            config,
            platform,
            swaps,
            readers,
            names: Names::default(),
            directory: Mutex::default(),
            compared: Mutex::default(),
            unkept: Mutex::default(),
            bell: Notify::new(),
            queue: Mutex::default(),
        }))
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(super) fn now(&self) -> Millis {
        self.0.clock.now().at
    }

    /// Whether the platform of the time takes cards.
    #[must_use]
    pub fn platform_takes_cards(&self) -> bool {
        let platform = self.0.platform.borrow();
        platform
            .as_ref()
            .is_some_and(|platform| platform.capabilities().cards)
    }

    /// Whether the platform is told of this card. The tag of SALTO KS is a second number of a fob: a platform's field for cards
    /// has room for one of them, so it gets the tag only where its numbers are tags, or where it keeps numbers with schemes.
    fn is_told_of(&self, card: &Credential) -> bool {
        let keeps_tags = || {
            let contract = matches!(self.0.config.borrow().cloud, CloudConfig::Contract(_));
            contract || self.card_format() == CardText::KsTag
        };
        self.platform_takes_cards() && (card.scheme() != Scheme::KsTag || keeps_tags())
    }

    /// The last instant at which the platform said that its facts are these.
    pub(super) fn heard(&self) -> Result<Option<Millis>, DeskError> {
        let taken = self.0.store.read().active_meta()?.map(|meta| meta.taken_at);
        Ok(taken.max(self.0.store.last_contact()))
    }

    /// Everything that is known of a card.
    pub(super) fn of_card(&self, card: &Credential) -> Result<OfCard, DeskError> {
        let directory = self.directory()?;
        let store = self.0.store.read();
        let row = store.local_card(card)?;
        let guest = match &row {
            Some(row) if row.kind == CardKind::Guest => {
                store.guests()?.into_iter().find(|guest| guest.id == row.person)
            }
            _ => None,
        };
        let target = BlockTarget::Credential(*card);
        let blocked = self
            .blocks()?
            .into_iter()
            .find(|kept| kept.block.target == target);
        Ok(OfCard {
            card: *card,
            platform: directory.holders(card).cloned().collect(),
            directory,
            row,
            guest,
            blocked,
            told: self.is_told_of(card),
            now: self.now(),
        })
    }

    pub(super) fn blocks(&self) -> Result<Vec<KeptBlock>, DeskError> {
        let mut blocks = self.0.store.read().kept_blocks()?;
        blocks.extend(lock(&self.0.unkept).iter().cloned());
        Ok(blocks)
    }

    /// Puts what the store holds in force. False: nothing was ever fetched.
    pub(super) fn rework(&self) -> Result<bool, DeskError> {
        let unkept: Vec<Block> = lock(&self.0.unkept)
            .iter()
            .map(|kept| kept.block.clone())
            .collect();
        self.0.doors.rework(&unkept).map_err(|error| {
            DeskError::Failed(format!(
                "it is kept, and does not count at the doors yet, as the facts could not be worked out: {error}"
            ))
        })
    }

    /// Changes a card in the store. Gives the new revision.
    pub(super) fn change(&self, change: &CardChange<'_>, actor: &Actor) -> Result<u64, DeskError> {
        match self.0.store.change_card(change, self.now(), &actor.name)? {
            Changed::Done(revision) => {
                self.0.bell.notify_one();
                Ok(revision)
            }
            Changed::Meanwhile(_) => Err(self.meanwhile(&change.credential)?),
        }
    }

    /// Somebody was first: who, and whose the card is now.
    pub(super) fn meanwhile(&self, card: &Credential) -> Result<DeskError, DeskError> {
        let look = self.look(card)?;
        let by = look.holders.first().map_or("", |held| held.by.as_str());
        let message = match (by, look.names().as_str()) {
            ("", "") => say::changed_to_nobody(),
            ("", names) => say::changed(names),
            (by, "") => say::changed_by_to_nobody(by),
            (by, names) => say::changed_by(by, names),
        };
        Ok(DeskError::Refused {
            code: Refusal::Meanwhile,
            message: message.into(),
            look: Some(Box::new(look)),
        })
    }
}
