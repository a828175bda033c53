//! What the page is made of: the staff, and what each room answers there.

use super::{boot::SiteRuntime, control::Control};
use crate::web::{
    page::Rooms,
    signin::{self, Staff},
};
use axum::Router;
use std::sync::Arc;

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
    pub(super) fn rooms(&self, site: &SiteRuntime, _control: Arc<dyn Control>) -> Rooms {
        let routes = signin::plain_routes(&self.staff, &site.health, &site.config.site_name);
        Rooms::default().with(signin::guarded(routes, &self.staff))
    }

    /// The staff over the control socket.
    pub(super) fn control_routes(&self) -> Router {
        signin::control_routes(&self.staff)
    }
}
