//! A decision allocates nothing: counted, not believed.

use super::*;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, with a count for each thread.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; this one hands every call on unchanged"
)]
// SAFETY: every method passes its arguments to the system's allocator, under the same contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above, that is from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as for `dealloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    work();
    COUNT.with(Cell::get) - before
}

#[test]
fn a_decision_allocates_nothing() {
    assert!(
        allocations(|| drop(std::hint::black_box(vec![1]))) > 0,
        "the count counts"
    );
    let mut grants = vec![grant(
        "m_1",
        GrantKind::Plan,
        "night",
        ("pl_1", "Hot desk"),
        Window::ALWAYS,
    )];
    for n in 0..20 {
        let start = at("2026-11-23T06:00[Europe/Madrid]") + n * 3_600_000;
        let window = Window::between(start, start + 3_600_000);
        grants.push(grant(
            "m_1",
            GrantKind::Booking,
            "house",
            (&format!("bk_{n}"), "Room"),
            window,
        ));
    }
    let (index, _) = Index::build(&ada(&grants), &site()).unwrap();
    let limits = Limits::default();
    let mut seen = std::collections::BTreeSet::new();
    for hour in 0..24 * 21 {
        for (credential, door) in [(1, "room"), (1, "front"), (1, "store"), (2, "room")] {
            let credential = card(credential);
            let query = Query {
                credential: Some(&credential),
                door: index.door(door),
                now: Moment {
                    at: at("2026-11-20T00:00[Europe/Madrid]") + hour * 3_600_000,
                    trusted: hour % 7 != 0,
                },
                lockdown: hour % 11 == 0,
                limits: &limits,
            };
            let mut verdict = None;
            let count = allocations(|| verdict = Some(index.decide(&query)));
            let reason = verdict.unwrap().reason;
            assert_eq!(count, 0, "{reason} at hour {hour}");
            seen.insert(reason);
        }
    }
    for reason in [
        Reason::GrantedBooking,
        Reason::OutsideHours,
        Reason::NotYet,
        Reason::ClockUntrusted,
    ] {
        assert!(seen.contains(&reason), "{reason} was not among them");
    }
}
