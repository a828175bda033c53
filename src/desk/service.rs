//! The desk itself: what every action shares. Its calls wait for the disk: not for async tasks, which put them on a thread
//! that may block.

use super::{
    answers::{Alike, AtPlatform, Blocked, Held, Look, Place},
    audit::{Actor, Audit},
    conflicts,
    decide::{Refusal, Situation},
    directory::{Directory, Hit},
    readers::Readers,
    recent,
    refs::Names,
    views,
};
use crate::{
    clock::Clock,
    config::{
        Config,
        model::{CardText, CloudConfig},
    },
    domain::{
        Block, BlockTarget, Credential, Millis, PersonId, Say,
        credential::Scheme,
        say::{Said, desk as say},
    },
    health::Health,
    memory,
    platform::Platform,
    store::{
        CardChange, CardKind, CardWrite, Changed, Guest, KeptBlock, LocalCard, Store, StoreError, WriteState,
    },
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, watch};

/// After so long without a question people and cards are let go of.
const IDLE: Duration = Duration::from_secs(120);
/// How many known cards that look alike are shown.
const MOST_ALIKE: usize = 5;

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
    directory: Mutex<Option<Cached>>,
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

struct Cached {
    directory: Arc<Directory>,
    of: (u64, Millis),
    used: Duration,
}

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
    platform: Vec<PersonId>,
    pub(super) row: Option<LocalCard>,
    guest: Option<Guest>,
    blocked: Option<KeptBlock>,
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

    /// People and cards of the facts in force: made when first asked for, again when the facts are others.
    ///
    /// # Errors
    /// When the stored facts cannot be read.
    pub fn directory(&self) -> Result<Arc<Directory>, DeskError> {
        let inner = &self.0;
        let mut slot = lock(&inner.directory);
        let Some(meta) = inner.store.read().active_meta()? else {
            return Ok(Arc::default());
        };
        let of = (meta.version, meta.taken_at);
        let used = inner.clock.monotonic();
        if let Some(cached) = slot.as_mut().filter(|cached| cached.of == of) {
            cached.used = used;
            return Ok(Arc::clone(&cached.directory));
        }
        *slot = None;
        let directory = match inner.store.read().active_facts()? {
            Some(facts) => Arc::new(Directory::of(&facts)),
            None => Arc::default(),
        };
        // The facts themselves are several times as large.
        memory::give_back();
        *slot = Some(Cached {
            directory: Arc::clone(&directory),
            of,
            used,
        });
        Ok(directory)
    }

    /// Lets go of people and cards when nobody asked for a while.
    pub(super) fn tidy(&self) {
        let mut slot = lock(&self.0.directory);
        let now = self.0.clock.monotonic();
        if slot
            .as_ref()
            .is_some_and(|cached| now.saturating_sub(cached.used) > IDLE)
        {
            *slot = None;
            memory::give_back();
        }
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

    pub(super) fn name_of(&self, person: &PersonId, directory: &Directory) -> String {
        if let Some(hit) = directory.person(person) {
            return hit.name;
        }
        let guests = self.0.store.read().guests().unwrap_or_default();
        let guest = guests.into_iter().find(|guest| guest.id == *person);
        guest.map_or_else(|| person.as_str().to_owned(), |guest| guest.name)
    }

    /// How the platform's word of a card stands; nothing where the desk did nothing with it.
    pub(super) fn at_platform(
        row: Option<&LocalCard>,
        writes: &[CardWrite],
        heard: Option<Millis>,
    ) -> Option<AtPlatform> {
        let row = row?;
        let mut of_card = writes.iter().filter(|write| write.credential == row.credential);
        let first = of_card.next();
        Some(match first.map(|write| write.state) {
            Some(WriteState::Refused) => AtPlatform::Refused,
            Some(WriteState::Waiting) => AtPlatform::Waiting,
            None if conflicts::is_unseen(row, heard) => AtPlatform::Unseen,
            None if row.written_at.is_some() => AtPlatform::Told,
            None => AtPlatform::KeptHere,
        })
    }

    /// Whose card this is, since when, whether it is blocked, and where it was last refused.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn look(&self, card: &Credential) -> Result<Look, DeskError> {
        let known = self.of_card(card)?;
        let recent = recent::of(self.0.store.read(), card)?;
        let writes = self.0.store.read().card_writes()?;
        let situation = known.situation();
        let holders = situation.holders();
        let held: Vec<Held> = holders
            .iter()
            .map(|person| self.held(person, &known, recent.changed))
            .collect();
        let blocked = match &known.blocked {
            Some(kept) => Some(blocked(kept)),
            None => self.blocked_person(&holders)?,
        };
        let alike = if held.is_empty() {
            self.alike(card, &known.directory)?
        } else {
            Vec::new()
        };
        let unfit = views::may_be_enrolled(card).err();
        Ok(Look {
            card: card.masked(),
            reference: self.inner().names.looked(card),
            seen: situation.seen(),
            holders: held,
            blocked,
            refused: recent.refused,
            platform: Self::at_platform(known.row.as_ref(), &writes, self.heard()?),
            unfit: unfit.map(|error| error.to_string()),
            unfit_say: unfit.and_then(|error| Say::of(error.said().as_ref())),
            alike,
        })
    }

    fn held(&self, person: &PersonId, known: &OfCard, changed: Option<Millis>) -> Held {
        let hit = known.directory.person(person);
        let row = known
            .row
            .as_ref()
            .filter(|row| row.person == *person && row.kind != CardKind::Nobody);
        let guest = known.guest.as_ref().filter(|guest| guest.id == *person);
        let place = match row.map(|row| row.kind) {
            Some(CardKind::Guest) => Place::Guest,
            Some(_) => Place::Desk,
            None => Place::Platform,
        };
        Held {
            person: person.as_str().to_owned(),
            name: match (&hit, guest) {
                (Some(hit), _) => hit.name.clone(),
                (None, Some(guest)) => guest.name.clone(),
                (None, None) => person.as_str().to_owned(),
            },
            email: hit.as_ref().map(|hit| hit.email.clone()).unwrap_or_default(),
            company: hit.map(|hit| hit.company).unwrap_or_default(),
            place,
            since: row.map(|row| row.added_at).or(changed),
            by: row.map(|row| row.by.clone()).unwrap_or_default(),
            until: guest.map(|guest| guest.until),
        }
    }

    fn blocked_person(&self, holders: &[PersonId]) -> Result<Option<Blocked>, DeskError> {
        let all = self.blocks()?;
        let of = |kept: &&KeptBlock| matches!(&kept.block.target, BlockTarget::Person(person) if holders.contains(person));
        Ok(all.iter().find(of).map(blocked))
    }

    /// Known cards that may be this one, written otherwise.
    fn alike(&self, card: &Credential, directory: &Directory) -> Result<Vec<Alike>, DeskError> {
        let given = views::Given::credential(card);
        let local = self.0.store.read().local_cards()?;
        let local = local
            .iter()
            .filter(|row| row.kind != CardKind::Nobody)
            .map(|row| (&row.credential, &row.person));
        let mut found: Vec<(Credential, &PersonId, views::View)> = directory
            .cards()
            .chain(local)
            .filter(|(known, _)| *known != card)
            .filter_map(|(known, person)| Some((*known, person, given.may_be(known)?)))
            .collect();
        found.sort_by_key(|(known, _, view)| (view.lossy, *known));
        found.truncate(MOST_ALIKE);
        Ok(found
            .into_iter()
            .map(|(known, person, view)| Alike {
                reference: self.name_card(&known),
                ..Alike::of(&known, self.name_of(person, directory), &view)
            })
            .collect())
    }

    /// At most `most` people of whom every word of `query` begins a word of name, e-mail or company.
    ///
    /// # Errors
    /// When the stored facts cannot be read.
    pub fn search(&self, query: &str, most: usize) -> Result<Vec<Hit>, DeskError> {
        Ok(self.directory()?.search(query, most))
    }

    /// Exactly one person, by id, e-mail or full name.
    ///
    /// # Errors
    /// Nobody, or several.
    pub fn person(&self, text: &str) -> Result<Hit, DeskError> {
        self.directory()?.exactly(text).map_err(|count| match count {
            0 => DeskError::refused(Refusal::NoSuchPerson, say::nobody_called(text)),
            several => DeskError::refused(Refusal::SeveralSuch, say::several_called(several, text)),
        })
    }

    /// A person whom the platform or the gateway knows, or who is blocked.
    ///
    /// # Errors
    /// Nobody has this id.
    pub fn known_person(&self, person: PersonId) -> Result<PersonId, DeskError> {
        let target = BlockTarget::Person(person.clone());
        if self.directory()?.person(&person).is_some()
            || self
                .inner()
                .store
                .read()
                .guests()?
                .iter()
                .any(|guest| guest.id == person)
            || self.blocks()?.iter().any(|kept| kept.block.target == target)
        {
            return Ok(person);
        }
        Err(DeskError::refused(
            Refusal::NoSuchPerson,
            say::person_id_unknown(),
        ))
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

fn blocked(kept: &KeptBlock) -> Blocked {
    Blocked {
        note: kept.block.note.clone(),
        say: Say::of(&kept.block.note),
        by: kept.by.clone(),
        since: kept.at,
        person: matches!(kept.block.target, BlockTarget::Person(_)),
    }
}
