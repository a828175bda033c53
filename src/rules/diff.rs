//! What differs between two lists of objects of one kind.

use crate::domain::{
    Grant,
    facts::{Assignment, Booking, Membership, Pass, Person, Resource, Team},
};
use std::collections::HashMap;

/// Something with an id.
pub(super) trait Object: PartialEq {
    fn key(&self) -> &str;
}

macro_rules! objects {
    ($($kind:ty),*) => { $(impl Object for $kind {
        fn key(&self) -> &str {
            &self.id
        }
    })* };
}
objects!(Membership, Assignment, Booking, Pass, Resource, Team);

impl Object for Person {
    fn key(&self) -> &str {
        self.id.as_str()
    }
}

/// The objects of two lists that have no equal in the other one.
pub(super) struct Diff<'a, T> {
    pub(super) gone: Vec<&'a T>,
    pub(super) new: Vec<&'a T>,
    /// Whether the lists are the same also in their order.
    pub(super) same: bool,
}

impl<T> Diff<'_, T> {
    /// Whether the same objects are in both, in whatever order.
    pub(super) const fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.new.is_empty()
    }
}

impl<'a, T: Object> Diff<'a, T> {
    /// Walks along what is equal at both ends, and looks at the middle by id.
    pub(super) fn between(old: &'a [T], new: &'a [T]) -> Self {
        let front = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let (old, new) = (old.get(front..).unwrap_or(&[]), new.get(front..).unwrap_or(&[]));
        let ends = old.iter().rev().zip(new.iter().rev());
        let back = ends.take_while(|(old, new)| old == new).count();
        let old = old.get(..old.len().saturating_sub(back)).unwrap_or(&[]);
        let new = new.get(..new.len().saturating_sub(back)).unwrap_or(&[]);
        let same = old.is_empty() && new.is_empty();
        let mut unmatched: HashMap<&str, Vec<&T>> = HashMap::with_capacity(old.len());
        for object in old {
            unmatched.entry(object.key()).or_default().push(object);
        }
        let mut has_equal = |object: &T| {
            let candidates = unmatched.get_mut(object.key())?;
            // Of several with one id the order may matter to a look-up: they count as changed.
            let only = candidates.len() == 1 && candidates.first() == Some(&object);
            only.then(|| candidates.clear())
        };
        let new = new.iter().filter(|object| has_equal(object).is_none()).collect();
        let gone = unmatched.into_values().flatten().collect();
        Self { gone, new, same }
    }

    pub(super) fn both(&self) -> impl Iterator<Item = &'a T> {
        self.gone.iter().chain(&self.new).copied()
    }
}

/// How many grants are put in one by one, each moving what is behind it; more of them go in in one pass.
const FEW: usize = 8;

/// A sorted list without doubles, of which some grants have several sources that differ in nothing.
#[derive(Debug, Default)]
pub(super) struct Several {
    /// How often those are given that are given more than once.
    times: HashMap<Grant, usize>,
}

impl Several {
    /// Counts what a sorted list has more than once, and leaves it once.
    pub(super) fn of(grants: &mut Vec<Grant>) -> Self {
        let mut times: HashMap<Grant, usize> = HashMap::new();
        grants.dedup_by(|again, first| {
            let double = again == first;
            if double {
                *times.entry(first.clone()).or_insert(1) += 1;
            }
            double
        });
        Self { times }
    }

    /// Takes grants out of the list and puts others in.
    pub(super) fn apply(&mut self, list: &mut Vec<Grant>, mut gone: Vec<Grant>, mut new: Vec<Grant>) {
        cancel(&mut gone, &mut new);
        gone.retain(|grant| match self.times.get_mut(grant) {
            Some(times) if *times > 2 => {
                *times -= 1;
                false
            }
            Some(_) => {
                self.times.remove(grant);
                false
            }
            None => true,
        });
        take_out(list, &gone);
        let mut put: Vec<(usize, Grant)> = Vec::new();
        for grant in new {
            let double = put.last().is_some_and(|(_, last)| *last == grant);
            match list.binary_search(&grant) {
                Err(place) if !double => put.push((place, grant)),
                _ => *self.times.entry(grant).or_insert(1) += 1,
            }
        }
        put_in(list, put);
    }
}

/// Both are sorted.
fn take_out(list: &mut Vec<Grant>, gone: &[Grant]) {
    let mut places = gone
        .iter()
        .filter_map(|grant| list.binary_search(grant).ok())
        .collect::<Vec<_>>()
        .into_iter();
    let Some(mut next) = places.next() else { return };
    let mut here = 0;
    list.retain(|_| {
        let stays = here != next;
        if !stays {
            next = places.next().unwrap_or(usize::MAX);
        }
        here += 1;
        stays
    });
}

/// Each with its place in the list as it is.
fn put_in(list: &mut Vec<Grant>, put: Vec<(usize, Grant)>) {
    if put.len() <= FEW {
        for (before, (place, grant)) in put.into_iter().enumerate() {
            list.insert((place + before).min(list.len()), grant);
        }
        return;
    }
    let mut merged = Vec::with_capacity(list.len() + put.len());
    let mut rest = std::mem::take(list).into_iter();
    let mut moved = 0;
    for (place, grant) in put {
        merged.extend(rest.by_ref().take(place - moved));
        moved = place;
        merged.push(grant);
    }
    merged.extend(rest);
    *list = merged;
}

/// Sorts both and takes away what is in both, as often as it is.
fn cancel(gone: &mut Vec<Grant>, new: &mut Vec<Grant>) {
    gone.sort_unstable();
    new.sort_unstable();
    let mut left_new = Vec::with_capacity(new.len());
    let mut left_gone = Vec::with_capacity(gone.len());
    let (mut a, mut b) = (gone.drain(..).peekable(), new.drain(..).peekable());
    loop {
        match (a.peek(), b.peek()) {
            (Some(one), Some(other)) if one == other => {
                a.next();
                b.next();
            }
            (Some(one), Some(other)) if one < other => left_gone.extend(a.next()),
            (Some(_), None) => left_gone.extend(a.next()),
            (_, Some(_)) => left_new.extend(b.next()),
            (None, None) => break,
        }
    }
    drop((a, b));
    (*gone, *new) = (left_gone, left_new);
}
