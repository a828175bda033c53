//! What the rooms answer at the control socket, put together.

use super::{boot::SiteRuntime, desk_readers, ks, ks_connect, ks_open, ks_tags, ks_watch, tasks::Tasks};
use crate::desk::Desk;
use axum::Router;

/// The routes of every room.
pub(super) fn routes(site: &SiteRuntime, tasks: &Tasks, desk: &Desk) -> Router {
    ks_connect::routes(tasks.ks())
        .merge(ks::routes(site, tasks.ks_desk()))
        .merge(ks_open::routes(site, tasks.ks()))
        .merge(ks_watch::routes(tasks.ks_locks()))
        .merge(ks_tags::routes(ks_tags::Room::new(site, tasks, desk)))
        .merge(desk_readers::routes(tasks.desk_readers()))
}
