//! Memory given back to the system after large work.

/// Gives freed memory back: the work on facts takes several times what the gateway holds on to, in pieces that the
/// C library's allocator keeps for later. On a Pi "later" is the next change of the facts. Measured with 10,000
/// people: 28 MB resident after a pull without this, 18 MB with it (`rss_after_pull/10000` of docs/benchmarks.md). Takes a few milliseconds:
/// never call it on a line's thread.
#[cfg(target_env = "gnu")]
#[expect(
    unsafe_code,
    reason = "no crate in use wraps malloc_trim; a call without pointers into the allocator"
)]
pub fn give_back() {
    // SAFETY: malloc_trim(3) takes a number, touches free memory only and is thread-safe (MT-Safe).
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other C libraries have no such call.
#[cfg(not(target_env = "gnu"))]
pub const fn give_back() {}
