//! Wrong passwords make the next attempt wait: longer each time, never for good. Pure: time comes in as time since the start.
//!
//! Counted are the account and the address. A lock would let anybody keep the staff out by typing wrong passwords; a wait
//! does so for a minute at most, and an address from which somebody signed in to the account before does not wait for what
//! others do to it.

use std::{
    collections::{HashMap, VecDeque, hash_map::RandomState},
    hash::BuildHasher,
    net::IpAddr,
    time::Duration,
};

/// Failures of an account that cost nothing: people mistype.
const FREE_OF_ACCOUNT: u32 = 3;
/// Failures of an address that cost nothing: several people may sit behind one.
const FREE_OF_ADDRESS: u32 = 10;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);
/// After so long without a failure it is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(900);
/// Accounts and addresses that are counted. Beyond, the one that failed longest ago is forgotten.
const MOST: usize = 1_024;
/// Pairs of account and address that signed in before.
const KNOWN: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Count {
    failures: u32,
    last: Duration,
}

#[derive(Debug, Default)]
struct Table(HashMap<u64, Count>);

impl Table {
    fn wait(&self, key: u64, free: u32, now: Duration) -> Duration {
        let Some(count) = self.0.get(&key) else {
            return Duration::ZERO;
        };
        let over = count.failures.saturating_sub(free);
        if over == 0 || now.saturating_sub(count.last) >= FORGOTTEN {
            return Duration::ZERO;
        }
        let wait = Duration::from_secs(1 << (over - 1).min(6)).min(LONGEST);
        (count.last + wait).saturating_sub(now)
    }

    fn failed(&mut self, key: u64, now: Duration) {
        if !self.0.contains_key(&key) && self.0.len() >= MOST {
            self.0
                .retain(|_, count| now.saturating_sub(count.last) < FORGOTTEN);
            if self.0.len() >= MOST
                && let Some(oldest) = self.0.iter().min_by_key(|(_, count)| count.last)
            {
                let oldest = *oldest.0;
                self.0.remove(&oldest);
            }
        }
        let count = self.0.entry(key).or_insert(Count {
            failures: 0,
            last: now,
        });
        if now.saturating_sub(count.last) >= FORGOTTEN {
            count.failures = 0;
        }
        *count = Count {
            failures: count.failures.saturating_add(1),
            last: now,
        };
    }
}

/// Who failed how often.
#[derive(Debug, Default)]
pub(super) struct Slow {
    accounts: Table,
    addresses: Table,
    known: VecDeque<u64>,
    hasher: RandomState,
}

impl Slow {
    fn keys(&self, account: &str, address: IpAddr) -> (u64, u64, u64) {
        let of = |what: &dyn Fn(&RandomState) -> u64| what(&self.hasher);
        (
            of(&|hasher| hasher.hash_one(account)),
            of(&|hasher| hasher.hash_one(address)),
            of(&|hasher| hasher.hash_one((account, address))),
        )
    }

    /// How long an attempt has to wait; zero if it may be made.
    pub(super) fn wait(&self, account: &str, address: IpAddr, now: Duration) -> Duration {
        let (account, address, pair) = self.keys(account, address);
        let by_address = self.addresses.wait(address, FREE_OF_ADDRESS, now);
        if self.known.contains(&pair) {
            return by_address;
        }
        by_address.max(self.accounts.wait(account, FREE_OF_ACCOUNT, now))
    }

    /// It was wrong.
    pub(super) fn failed(&mut self, account: &str, address: IpAddr, now: Duration) {
        let (account, address, pair) = self.keys(account, address);
        self.addresses.failed(address, now);
        // What a known address mistypes is its own affair: its address pays for it.
        if !self.known.contains(&pair) {
            self.accounts.failed(account, now);
        }
    }

    /// It was right.
    pub(super) fn succeeded(&mut self, account: &str, address: IpAddr) {
        let (account, address, pair) = self.keys(account, address);
        self.accounts.0.remove(&account);
        self.addresses.0.remove(&address);
        self.known.retain(|known| *known != pair);
        self.known.push_back(pair);
        if self.known.len() > KNOWN {
            self.known.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn ip(number: u32) -> IpAddr {
        IpAddr::from(std::net::Ipv4Addr::from(number))
    }

    #[test]
    fn wrong_passwords_wait_longer_each_time_and_never_for_good() {
        let mut slow = Slow::default();
        let mut now = S;
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = slow.wait("ana", ip(1), now);
            waits.push(wait.as_secs());
            now += wait;
            slow.failed("ana", ip(1), now);
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(slow.wait("ana", ip(2), now), LONGEST, "from anywhere");
        assert_eq!(slow.wait("ben", ip(2), now), Duration::ZERO, "nobody else waits");
        assert_eq!(slow.wait("ana", ip(1), now + LONGEST), Duration::ZERO);
        slow.succeeded("ana", ip(1));
        assert_eq!(slow.wait("ana", ip(3), now), Duration::ZERO, "begun anew");
    }

    #[test]
    fn an_attack_on_an_account_does_not_keep_its_owner_out() {
        let mut slow = Slow::default();
        slow.succeeded("ana", ip(9));
        for number in 0..50 {
            slow.failed("ana", ip(number + 100), S);
        }
        assert_eq!(slow.wait("ana", ip(5), S), LONGEST);
        assert_eq!(slow.wait("ana", ip(9), S), Duration::ZERO);
        for _ in 0..30 {
            slow.failed("ana", ip(9), S);
        }
        assert!(
            slow.wait("ana", ip(9), S) > Duration::ZERO,
            "its own mistakes count"
        );
    }

    #[test]
    fn one_address_that_tries_many_accounts_waits_and_memory_is_bounded() {
        let mut slow = Slow::default();
        for number in 0..11 {
            slow.failed(&format!("a{number}"), ip(1), S);
        }
        assert_eq!(slow.wait("new", ip(1), S), S);
        for number in 0..50_000 {
            slow.failed(&format!("b{number}"), ip(number + 2), S * number);
            slow.succeeded(&format!("c{number}"), ip(number + 2));
        }
        assert!(slow.accounts.0.len() <= MOST && slow.addresses.0.len() <= MOST);
        assert!(slow.known.len() <= KNOWN);
    }
}
