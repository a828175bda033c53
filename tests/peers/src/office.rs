//! What a scenario can do at any simulated platform, in neutral words: the same story is told to each of them, and what
//! differs is the platform's own behaviour.

use std::path::Path;

/// An entry that the platform counts as attendance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// Whose, by the platform's id.
    pub member: String,
    /// When it began, Unix milliseconds.
    pub from: i64,
    /// Until when it runs, Unix milliseconds, where the platform says.
    pub until: Option<i64>,
}

/// What this platform cannot do, in words.
pub type Cannot = String;

fn cannot<T>(platform: &str, what: &str) -> Result<T, Cannot> {
    Err(format!("{platform} cannot {what}"))
}

/// A simulated platform with its staff. Ids are the platform's own; times are Unix milliseconds, days `YYYY-MM-DD`.
/// Every simulator has a location, the plans, rooms, desks and kinds of pass that its own constructor made.
pub trait Office: Send + Sync {
    /// The word of `[cloud] kind`.
    fn platform(&self) -> &'static str;

    /// Writes the secrets that a gateway needs into `dir`, and gives `[cloud]` with its table as TOML.
    fn cloud_section(&self, dir: &Path) -> String;

    /// A new member on a plan (by name) from a day on. The member's id.
    fn join(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String;

    /// Gives the member a card, in hexadecimal.
    fn give_card(&self, member: &str, uid: &str);

    /// Cancels the member's membership to a last day.
    fn cancel(&self, member: &str, last_day: &str);

    /// Deactivates the person, where that exists.
    fn deactivate(&self, member: &str) -> Result<(), Cannot> {
        let _ = member;
        cannot(self.platform(), "deactivate a person")
    }

    /// Books a room or desk (by name). The booking's id.
    fn book(&self, member: &str, resource: &str, from: i64, until: i64) -> String;

    /// Invites another member to a booking.
    fn invite(&self, booking: &str, member: &str) -> Result<(), Cannot> {
        let _ = (booking, member);
        cannot(self.platform(), "invite to a booking")
    }

    /// Moves a booking.
    fn move_booking(&self, booking: &str, from: i64, until: i64);

    /// Deletes (or cancels) a booking.
    fn delete_booking(&self, booking: &str);

    /// Assigns a desk or office (by name) to the member.
    fn assign(&self, member: &str, resource: &str) -> Result<(), Cannot> {
        let _ = (member, resource);
        cannot(self.platform(), "assign a resource")
    }

    /// Sells passes of a kind (by name).
    fn give_passes(&self, member: &str, kind: &str, count: u32) -> Result<(), Cannot> {
        let _ = (member, kind, count);
        cannot(self.platform(), "sell passes")
    }

    /// What the platform counts as attendance, oldest first.
    fn attendance(&self) -> Vec<Attendance>;

    /// No answer to anything while true.
    fn set_away(&self, away: bool);

    /// Sends web hooks to this address from now on, as the platform does.
    fn send_hooks_to(&self, address: &str) -> Result<(), Cannot> {
        let _ = address;
        cannot(self.platform(), "send web hooks")
    }

    /// Writes the platform's tables into a folder as its staff export them.
    fn export(&self, folder: &Path) -> Result<(), Cannot> {
        let _ = folder;
        cannot(self.platform(), "export tables")
    }

    /// Requests received since the start.
    fn requests(&self) -> u64;
}
