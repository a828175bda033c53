//! Coworks on the stage: it has no interface of its own, so a bridge tells its facts over the open contract. Here the
//! reference cloud is that bridge, and its staff are Coworks'.

use doorward_peers::{
    cloud::ContractOffice,
    office::{Attendance, Cannot, Office},
};
use std::{io, path::Path};

/// The bridge.
pub(super) struct Bridge(ContractOffice);

impl Bridge {
    /// Starts it with a room, a desk and an office, and nobody in them.
    pub(super) fn start() -> io::Result<Self> {
        ContractOffice::start().map(Self)
    }
}

impl Office for Bridge {
    fn platform(&self) -> &'static str {
        "coworks"
    }
    fn cloud_section(&self, dir: &Path) -> String {
        self.0
            .cloud_section(dir)
            .replace("kind = \"contract\"", "kind = \"coworks\"")
    }
    fn join(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String {
        self.0.join(name, email, plan, first_day)
    }
    fn give_card(&self, member: &str, uid: &str) {
        self.0.give_card(member, uid);
    }
    fn cancel(&self, member: &str, last_day: &str) {
        self.0.cancel(member, last_day);
    }
    fn deactivate(&self, member: &str) -> Result<(), Cannot> {
        self.0.deactivate(member)
    }
    fn book(&self, member: &str, resource: &str, from: i64, until: i64) -> String {
        self.0.book(member, resource, from, until)
    }
    fn invite(&self, booking: &str, member: &str) -> Result<(), Cannot> {
        self.0.invite(booking, member)
    }
    fn move_booking(&self, booking: &str, from: i64, until: i64) {
        self.0.move_booking(booking, from, until);
    }
    fn delete_booking(&self, booking: &str) {
        self.0.delete_booking(booking);
    }
    fn assign(&self, member: &str, resource: &str) -> Result<(), Cannot> {
        self.0.assign(member, resource)
    }
    fn give_passes(&self, member: &str, kind: &str, count: u32) -> Result<(), Cannot> {
        self.0.give_passes(member, kind, count)
    }
    fn attendance(&self) -> Vec<Attendance> {
        self.0.attendance()
    }
    fn set_away(&self, away: bool) {
        self.0.set_away(away);
    }
    fn send_hooks_to(&self, address: &str) -> Result<(), Cannot> {
        self.0.send_hooks_to(address)
    }
    fn export(&self, folder: &Path) -> Result<(), Cannot> {
        self.0.export(folder)
    }
    fn requests(&self) -> u64 {
        self.0.requests()
    }
}
