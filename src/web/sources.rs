//! How often one address may ask. Pure: time comes in as time since the start.

use std::{collections::HashMap, net::IpAddr, time::Duration};

/// Requests of one address within [`WINDOW`]. A platform that changes a hundred bookings at once sends that many.
pub(super) const MOST: u32 = 300;
/// The window.
pub(super) const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered. More at once are an attack, and share one count.
const ADDRESSES: usize = 1_024;

/// What each address has asked in the present window.
#[derive(Debug, Default)]
pub(super) struct Sources {
    counts: HashMap<IpAddr, (Duration, u32)>,
    others: (Duration, u32),
}

impl Sources {
    /// Whether this address may ask at `now`, and counts it.
    pub(super) fn may(&mut self, address: IpAddr, now: Duration) -> bool {
        if self.counts.len() >= ADDRESSES && !self.counts.contains_key(&address) {
            self.counts
                .retain(|_, (began, _)| now.saturating_sub(*began) < WINDOW);
        }
        let known = self.counts.contains_key(&address);
        let (began, count) = if known || self.counts.len() < ADDRESSES {
            self.counts.entry(address).or_insert((now, 0))
        } else {
            &mut self.others
        };
        if now.saturating_sub(*began) >= WINDOW {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn one_address_that_floods_does_not_silence_another() {
        let (mut sources, now) = (Sources::default(), Duration::from_secs(5));
        let address = |number: u32| IpAddr::from(Ipv4Addr::from(number));
        let taken = (0..1_000).filter(|_| sources.may(address(1), now)).count();
        assert_eq!(taken, 300);
        assert!(sources.may(address(2), now));
        assert!(sources.may(address(1), now + WINDOW), "and it may again");
        for number in 0..100_000 {
            sources.may(address(number), now + WINDOW);
        }
        assert!(sources.counts.len() <= ADDRESSES);
        assert!(
            !sources.may(address(200_000), now + WINDOW),
            "a flood of addresses shares one count"
        );
        assert!(sources.may(address(200_000), now + WINDOW * 2));
    }
}
