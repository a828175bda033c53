//! Several requests under way at a time.

use std::future::Future;
use tokio::task::JoinSet;

/// Runs what `next` gives, `at_once` at a time, until it gives nothing more; `done` has each outcome as it comes. What is
/// under way when `next` ends is waited for.
pub(super) async fn together<F, R>(
    at_once: usize,
    mut next: impl FnMut() -> Option<F>,
    mut done: impl FnMut(R),
) where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < at_once.max(1) {
            match next() {
                Some(work) => drop(under_way.spawn(work)),
                None => break,
            }
        }
        match under_way.join_next().await {
            Some(Ok(outcome)) => done(outcome),
            Some(Err(_)) => {} // nothing here panics, and nobody else ends these tasks
            None => return,
        }
    }
}
