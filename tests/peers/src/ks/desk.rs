//! What staff do by hand at KS, and what a scenario looks at.

use super::{
    CLIENT, CLIENT_SECRET, Did, Faults, Ks, Manners, PASSWORD, USERNAME, decide, entries,
    hub::Told,
    identity,
    reply::Request,
    seed,
    state::{Asked, Entry, Group, Lock, Member, Schedule, State, User},
};
use std::{fs, io, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

fn secret(path: &Path, text: &str) -> io::Result<()> {
    use io::Write as _;
    let mut options = fs::File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn group_mut<'a>(state: &'a mut State, name: &str) -> Option<&'a mut Group> {
    state
        .groups
        .iter_mut()
        .find(|group| group.name == name || group.id == name)
}

fn user_mut<'a>(state: &'a mut State, name: &str) -> Option<&'a mut User> {
    state
        .users
        .iter_mut()
        .find(|user| user.alias == name || user.id == name || user.platform == name)
}

impl Ks {
    /// `[ks]` of a gateway with the password of a system user; more keys may follow it. Its secrets become files in `dir`.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn ks_section(&self, dir: &Path) -> io::Result<String> {
        let password = dir.join("ks-password");
        secret(&password, PASSWORD)?;
        let code = self.ks_section_code(dir)?;
        Ok(format!(
            "{code}username = \"{USERNAME}\"\npassword = {{ file = \"{}\" }}\n",
            password.display()
        ))
    }

    /// `[ks]` of a gateway where somebody logs in at SALTO.
    ///
    /// # Errors
    /// When the file of the client's secret cannot be written.
    pub fn ks_section_code(&self, dir: &Path) -> io::Result<String> {
        let client = dir.join("ks-client-secret");
        secret(&client, CLIENT_SECRET)?;
        Ok(format!(
            "[ks]\nclient_id = \"{CLIENT}\"\nclient_secret = {{ file = \"{}\" }}\nidentity_url = \"{}\"\n\
             url = \"{}\"\nstream_url = \"{}\"\n",
            client.display(),
            self.identity_url(),
            self.url(),
            self.stream_url()
        ))
    }

    /// Somebody signs in at the page of this address and agrees: where the browser is sent then. `None` when the page shows
    /// an error instead.
    #[must_use]
    pub fn log_in(&self, authorize: &str) -> Option<String> {
        let (_, query) = authorize.split_once('?')?;
        let form = format!(
            "username={}&password={}",
            identity::encoded(USERNAME),
            identity::encoded(PASSWORD)
        );
        let request = Request {
            method: axum::http::Method::POST,
            path: "/connect/authorize".into(),
            query: query.into(),
            authorization: None,
            continuation: None,
            is_form: true,
            host: String::new(),
            scheme: "http",
            body: form.into_bytes(),
        };
        let reply = self.with(|state| identity::answer(state, &request));
        let mut headers = reply.headers.into_iter();
        headers.find_map(|(name, value)| (name == "location").then_some(value))
    }

    /// The site's UUID.
    #[must_use]
    pub fn site(&self) -> String {
        self.with(|state| state.site.clone())
    }

    /// Sets what goes wrong from now on. `Faults::default()` ends all of it.
    pub fn faults(&self, faults: Faults) {
        self.with(|state| {
            state.faults = faults;
            state.sprung = false;
            state.changes_since = 0;
        });
    }

    /// Whether the trap was sprung since the faults were set.
    #[must_use]
    pub fn sprung(&self) -> bool {
        self.with(|state| state.sprung)
    }

    /// Sets how it answers.
    pub fn manners(&self, change: impl FnOnce(&mut Manners)) {
        self.with(|state| change(&mut state.manners));
    }

    /// Sets its clock, Unix milliseconds; it goes on from there.
    pub fn set_clock(&self, at: i64) {
        self.with(|state| state.set_by += at - state.now());
    }

    /// Sets its clock forward.
    pub fn advance(&self, by: Duration) {
        self.with(|state| state.set_by += i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    }

    /// Its clock, Unix milliseconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.with(|state| state.now())
    }

    /// Everything that was asked since the start.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.with(|state| state.asked.clone())
    }

    /// How many requests were to change something.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.with(|state| state.asked.iter().filter(|asked| asked.changes()).count())
    }

    /// Forgets what was asked.
    pub fn forget_asked(&self) {
        self.with(|state| state.asked.clear());
    }

    /// Every access token is worth nothing any more, and with `all` no refresh token either.
    pub fn revoke_tokens(&self, all: bool) {
        self.with(|state| {
            state.identity.tokens.clear();
            if all {
                state.identity.refresh.clear();
            }
        });
    }

    /// Sets the number of seats. Who is above them already stays.
    pub fn set_seats(&self, seats: u32) {
        self.with(|state| state.seats = seats);
    }

    /// Takes a feature from the subscription, or gives it.
    pub fn feature(&self, name: &str, has: bool) {
        self.with(|state| {
            state.features.retain(|feature| feature != name);
            if has {
                state.features.push(name.to_owned());
            }
        });
    }

    /// Everybody at the site.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.with(|state| state.users.clone())
    }

    /// A person by alias or either id.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<User> {
        self.with(|state| user_mut(state, name).cloned())
    }

    /// All access groups.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        self.with(|state| state.groups.clone())
    }

    /// Aliases of a group's members, sorted. Empty when there is no such group.
    #[must_use]
    pub fn members(&self, group: &str) -> Vec<String> {
        self.with(|state| {
            let members = group_mut(state, group)
                .map(|group| group.members.clone())
                .unwrap_or_default();
            let people = members.iter().filter_map(|member| state.person(&member.user));
            let mut names: Vec<String> = people.map(|user| user.alias.clone()).collect();
            names.sort();
            names
        })
    }

    /// A group's schedules.
    #[must_use]
    pub fn schedules(&self, group: &str) -> Vec<Schedule> {
        self.with(|state| {
            group_mut(state, group)
                .map(|group| group.schedules.clone())
                .unwrap_or_default()
        })
    }

    /// All locks.
    #[must_use]
    pub fn locks(&self) -> Vec<Lock> {
        self.with(|state| state.locks.clone())
    }

    /// Another lock. Its id.
    pub fn add_lock(&self, name: &str) -> String {
        self.with(|state| seed::lock(state, name))
    }

    /// Changes a lock: its battery, its flag.
    pub fn change_lock(&self, name: &str, change: impl FnOnce(&mut Lock)) {
        self.with(|state| {
            if let Some(lock) = state
                .locks
                .iter_mut()
                .find(|lock| lock.name == name || lock.id == name)
            {
                change(lock);
            }
        });
    }

    /// A tag that the site knows. Its id.
    pub fn add_tag(&self, number: &str) -> String {
        self.with(|state| seed::tag(state, number))
    }

    /// A tag that another site registered.
    pub fn add_tag_elsewhere(&self, number: &str) {
        self.with(|state| {
            seed::tag(state, number);
            if let Some(tag) = state.tags.last_mut() {
                tag.elsewhere = true;
            }
        });
    }

    /// Somebody is made by hand, with a tag maybe. The platform's id.
    pub fn add_user_by_hand(&self, name: &str, tag: Option<&str>) -> String {
        self.with(|state| seed::user(state, name, "site_user", None, tag))
    }

    /// Changes a person, by alias or either id.
    pub fn change_user(&self, name: &str, change: impl FnOnce(&mut User)) {
        self.with(|state| {
            if let Some(user) = user_mut(state, name) {
                change(user);
            }
        });
    }

    /// A group is made by hand, with these locks, open always. Its id.
    pub fn add_group_by_hand(&self, name: &str, locks: &[&str]) -> String {
        self.with(|state| {
            let known = state
                .locks
                .iter()
                .filter(|lock| locks.contains(&lock.name.as_str()));
            let group = Group {
                name: name.to_owned(),
                locks: known.map(|lock| lock.id.clone()).collect(),
                id: state.id(0x67),
                schedules: vec![seed::always(state)],
                ..Group::default()
            };
            let id = group.id.clone();
            state.groups.push(group);
            id
        })
    }

    /// Somebody is put into a group by hand. Says whether both are there.
    pub fn add_member_by_hand(&self, group: &str, who: &str) -> bool {
        self.with(|state| {
            let user = user_mut(state, who).map(|user| user.platform.clone());
            match (user, group_mut(state, group)) {
                (Some(user), Some(group)) => {
                    group.members.push(Member { user, since: 0 });
                    true
                }
                _ => false,
            }
        })
    }

    /// Somebody is taken out of a group by hand.
    pub fn drop_member_by_hand(&self, group: &str, who: &str) {
        self.with(|state| {
            let user = user_mut(state, who)
                .map(|user| user.platform.clone())
                .unwrap_or_default();
            if let Some(group) = group_mut(state, group) {
                group.members.retain(|member| member.user != user);
            }
        });
    }

    /// Changes a group by name or id.
    pub fn change_group(&self, name: &str, change: impl FnOnce(&mut Group)) {
        self.with(|state| {
            if let Some(group) = group_mut(state, name) {
                change(group);
            }
        });
    }

    /// A tag is presented at a lock, by name or id, at an instant: the lock decides, the entry is written and streamed. A lock
    /// in registration mode registers a tag that is new.
    pub fn open_lock_with_tag(&self, lock: &str, tag: &str, at: i64) -> Did {
        self.with(|state| state.present(lock, tag, at))
    }

    /// What the lock would do, without an entry.
    #[must_use]
    pub fn would(&self, lock: &str, tag: &str, at: i64) -> Did {
        self.with(|state| {
            let known = state
                .locks
                .iter()
                .find(|known| known.name == lock || known.id == lock);
            known.map_or(decide::Did::Rejected("no such lock"), |known| {
                state.decide(known, tag, at)
            })
        })
    }

    /// An entry of any kind, streamed as well. `change` starts from an opening with neither user nor means. Its id.
    pub fn add_entry(&self, lock: &str, at: i64, change: impl FnOnce(&mut Entry)) -> String {
        self.with(|state| {
            let known = state
                .locks
                .iter()
                .find(|known| known.name == lock || known.id == lock);
            let lock = known.map(|known| known.id.clone()).unwrap_or_default();
            let mut entry = Entry {
                lock,
                ..entries::blank(at)
            };
            change(&mut entry);
            entries::add(state, entry)
        })
    }

    /// All entries.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.with(|state| state.entries.clone())
    }

    /// How many streams stand, and how many stood since the start.
    #[must_use]
    pub fn streams(&self) -> (usize, u64) {
        self.with(|state| (state.streams.count(), state.streams.accepted))
    }

    /// Cuts all streams without a word.
    pub fn drop_streams(&self) {
        self.with(|state| state.streams.tell(&Told::Drop));
    }

    /// Closes all streams with these words.
    pub fn close_streams(&self, words: Option<&str>) {
        self.with(|state| state.streams.tell(&Told::Close(words.map(str::to_owned))));
    }

    /// The PIN of an IQ, as the mail says it; none before it was asked for.
    #[must_use]
    pub fn mailed_pin(&self, iq: &str) -> Option<String> {
        self.with(|state| {
            let iq = state
                .iqs
                .iter()
                .find(|known| (known.id == iq || known.name == iq) && known.mailed);
            iq.map(|iq| iq.pin.clone())
        })
    }
}
