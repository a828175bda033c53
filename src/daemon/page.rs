//! What the page is made of: the staff, and what each room answers there.

use super::{
    boot::SiteRuntime,
    control::{Action, Control},
    ks_connect::No,
    ks_open::Doorman,
    tasks::Tasks,
};
use crate::{
    clock::Clock,
    config::Config,
    domain::DoorId,
    doors::keeper::Signal,
    web::{
        api::{self, Api, Gateway, Work},
        page::Rooms,
        signin::{self, Staff},
    },
};
use axum::Router;
use std::sync::{Arc, Mutex, PoisonError, mpsc::Sender};
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
    pub(super) fn rooms(&self, site: &SiteRuntime, control: Arc<dyn Control>, tasks: &Tasks) -> Rooms {
        let gateway: Arc<dyn Gateway> = Arc::new(Running {
            config: tasks.config(),
            doorman: Doorman::new(site, tasks.ks()),
            control,
            rights: site.world.swaps(),
            keeper: Mutex::new(site.keeper.clone()),
            clock: site.clock.clone(),
        });
        let api = Api::new(
            &self.staff,
            &site.store,
            &site.clock,
            &site.health,
            Arc::clone(&gateway),
        );
        let routes = signin::plain_routes(&self.staff, &site.health, &site.config.site_name, &gateway)
            .merge(api.routes())
            .fallback(api::nowhere)
            .method_not_allowed_fallback(api::no_method);
        // The guard stands before everything, so that a handler has but to ask who it is.
        Rooms::default().with(signin::guarded(routes, &self.staff))
    }

    /// The staff over the control socket.
    pub(super) fn control_routes(&self) -> Router {
        signin::control_routes(&self.staff)
    }
}

/// The running gateway, for the API.
struct Running {
    config: watch::Receiver<Arc<Config>>,
    doorman: Doorman,
    control: Arc<dyn Control>,
    rights: watch::Receiver<u64>,
    keeper: Mutex<Sender<Signal>>,
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
    fn rights(&self) -> u64 {
        *self.rights.borrow()
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
                false => Err("the gateway is ending".into()),
            }
        })
    }
    fn lock_down(&self, door: &DoorId, on: bool) -> bool {
        self.signal(Signal::Lockdown(door.clone(), on))
    }
}
