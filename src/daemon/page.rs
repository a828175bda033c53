//! What the page is made of: the staff, and what each room answers there.

use super::{
    boot::SiteRuntime,
    control::{Action, Asker, Control},
    desk_readers::DeskReaders,
    ks_connect::No,
    ks_open::Doorman,
    lockdown,
    tasks::Tasks,
};
use crate::{
    clock::Clock,
    config::Config,
    desk::Desk,
    domain::{DoorId, ReaderId, say::page as say},
    doors::keeper::Signal,
    health::Health,
    store::Store,
    web::{
        api::{self, Api, DoorReader, Gateway, Work},
        assets,
        page::Rooms,
        signin::{self, LocalUser, Staff},
    },
};
use axum::{
    Router,
    extract::{ConnectInfo, Request},
    middleware::{self, Next},
    response::Response,
};
use std::{
    sync::{Arc, Mutex, PoisonError, mpsc::Sender},
    time::Duration,
};
use tokio::sync::watch;

/// The page's parts, which live as long as the gateway: who is signed in stays so when `[page]` changes.
pub(super) struct PageParts {
    staff: Staff,
}

/// Reads the staff. Says on the console how the first account is made, while there is none and a page to make it at.
pub(super) async fn open(site: &SiteRuntime) -> PageParts {
    let (store, clock) = (site.store.clone(), site.clock.clone());
    let opened = tokio::task::spawn_blocking({
        let (store, clock) = (store.clone(), clock.clone());
        move || Staff::open(&store, &clock)
    });
    // A panic there was reported; then it is read once more, here.
    let staff = opened.await.unwrap_or_else(|_| Staff::open(&store, &clock));
    if site.config.page.is_some()
        && let Some(code) = staff.first_code()
    {
        // The one secret that is meant to be read here: it makes one account, once, within a day, and only at the page.
        tracing::warn!(
            "nobody has an account at the page yet; the code for the first one is {}",
            *code
        );
    }
    PageParts { staff }
}

impl PageParts {
    /// Everything that is served at the page.
    pub(super) fn rooms(
        &self,
        site: &SiteRuntime,
        control: Arc<dyn Control>,
        tasks: &Tasks,
        desk: &Desk,
    ) -> Rooms {
        let gateway: Arc<dyn Gateway> = Arc::new(Running {
            config: tasks.config(),
            doorman: Doorman::new(site, tasks.ks()),
            control,
            keeper: Mutex::new(site.keeper.clone()),
            locking: tokio::sync::Mutex::default(),
            store: site.store.clone(),
            health: site.health.clone(),
            desk_readers: tasks.desk_readers(),
            clock: site.clock.clone(),
        });
        let api = Api::new(
            &self.staff,
            &site.store,
            &site.clock,
            &site.health,
            Arc::clone(&gateway),
            desk,
        );
        let routes = signin::plain_routes(&self.staff, &site.health, &site.config.site_name, &gateway)
            .merge(assets::routes(&self.staff, &site.config.site_name, &gateway))
            .merge(api.routes())
            .fallback(api::nowhere)
            .method_not_allowed_fallback(api::no_method);
        // The guard stands before everything, so that a handler has but to ask who it is.
        Rooms::default().with(signin::guarded(routes, &self.staff))
    }

    /// The staff over the control socket: the trail has the user who opened it.
    pub(super) fn control_routes(&self) -> Router {
        signin::control_routes(&self.staff).layer(middleware::from_fn(known))
    }
}

async fn known(ConnectInfo(asker): ConnectInfo<Asker>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(LocalUser(asker.user()));
    next.run(request).await
}

/// The running gateway, for the API.
struct Running {
    config: watch::Receiver<Arc<Config>>,
    doorman: Doorman,
    control: Arc<dyn Control>,
    keeper: Mutex<Sender<Signal>>,
    locking: tokio::sync::Mutex<()>,
    store: Store,
    health: Health,
    desk_readers: DeskReaders,
    clock: Clock,
}

impl Running {
    fn signal(&self, signal: Signal) -> bool {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        keeper.send(signal).is_ok()
    }
}

fn work(action: Action<'_>) -> Work<'_> {
    Box::pin(async move {
        let done = action.await;
        done.map(|done| done.message).map_err(|refused| refused.message)
    })
}

impl Gateway for Running {
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.borrow())
    }
    fn uptime_seconds(&self) -> u64 {
        self.clock.monotonic().as_secs()
    }
    fn sync_now(&self) -> Work<'_> {
        work(self.control.sync_now())
    }
    fn sync_accept(&self) -> Work<'_> {
        work(self.control.sync_accept())
    }
    fn open_once(&self, door: &DoorId, who: &str) -> Work<'_> {
        let (door, who) = (door.clone(), who.to_owned());
        Box::pin(async move {
            let config = self.config();
            let config = config.doors.iter().find(|one| one.id == door);
            if config.is_some_and(|one| one.ks_lock.is_some()) {
                let opened = self.doorman.open(door.as_str(), &who).await;
                return opened.map(|done| done.message).map_err(No::message);
            }
            let seconds = config.map_or(0, |one| one.release_for.as_secs());
            match self.signal(Signal::Remote(door.clone(), who)) {
                true => Ok(format!("{door} is released for {seconds} s")),
                false => Err(say::gateway_ending().into()),
            }
        })
    }
    fn lock_down(&self, door: &DoorId, on: bool, who: &str) -> Work<'_> {
        let (door, who) = (door.clone(), who.to_owned());
        Box::pin(async move {
            // One after another: what is kept is the last order, as it is at the door.
            let _turn = self.locking.lock().await;
            // First at the door: what the disk says comes after.
            if !self.signal(Signal::Lockdown(door.clone(), on)) {
                return Err(say::gateway_ending().into());
            }
            let (store, health, now) = (self.store.clone(), self.health.clone(), self.clock.now().at);
            let named = door.clone();
            let kept =
                tokio::task::spawn_blocking(move || lockdown::keep(&store, &health, now, (&named, on), &who));
            let kept = kept.await.unwrap_or_else(|error| Err(error.to_string()));
            Ok(match (on, kept) {
                (true, Ok(())) => format!("{door} is locked down: no card opens it"),
                (false, Ok(())) => format!("{door} is open to its cards again"),
                (true, Err(error)) => {
                    format!(
                        "{door} is locked down, until the gateway's next restart: the disk did not take it ({error})"
                    )
                }
                (false, Err(error)) => format!(
                    "{door} is open to its cards again, until the gateway's next restart: the disk did not take it ({error})"
                ),
            })
        })
    }
    fn door_readers(&self) -> Vec<DoorReader> {
        let all = self.desk_readers.at_doors().into_iter();
        all.map(|(reader, door, left)| DoorReader { reader, door, left })
            .collect()
    }
    fn lend(&self, reader: &ReaderId, length: Duration) -> Option<Duration> {
        self.desk_readers.lend(reader, length)
    }
    fn give_back(&self, reader: &ReaderId) -> bool {
        self.desk_readers.give_back(reader)
    }
}
