//! How the C library's allocator is used: what large work took goes back to the system, and does not stay for later.
//! Figures: `rss_after_pull` and `rss_sync` of docs/benchmarks.md.

/// From this size on an allocation is pages of its own, given back as soon as it is freed. glibc begins with this and
/// raises it, up to 32 MB, with every larger one that is freed (mallopt(3), `M_MMAP_THRESHOLD`): after the first pull,
/// lists of people would lie in the heap, among small things that hold their pages for good.
#[cfg(target_env = "gnu")]
const OWN_PAGES: libc::c_int = 128 << 10;

/// Sets the allocator up for a process that lives for months and works on much data for moments. Call it once, before
/// there are threads.
#[cfg(target_env = "gnu")]
#[expect(
    unsafe_code,
    reason = "no crate in use wraps mallopt; a call with two numbers"
)]
pub fn frugal() {
    // SAFETY: mallopt(3) takes two numbers. That it is refused changes nothing but figures.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES);
    }
}

/// Gives freed memory back: the work on facts takes several times what the gateway holds on to, in pieces that the
/// allocator keeps for later. On a Pi "later" is the next change of the facts. Takes a few milliseconds: never call
/// it on a line's thread.
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

/// Other C libraries have no such setting.
#[cfg(not(target_env = "gnu"))]
pub const fn frugal() {}

/// Other C libraries have no such call.
#[cfg(not(target_env = "gnu"))]
pub const fn give_back() {}
