//! What goes wrong on request.

use std::time::Duration;

/// Faults. `Faults::default()` has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Only requests whose path contains this suffer, or is exactly what stands after a `=`; all of them when absent.
    pub only: Option<String>,
    /// Every answer is held back for so long.
    pub slow: Option<Duration>,
    /// Answered 500, with nothing done.
    pub error_500: bool,
    /// Answered 429, to be tried again after so many seconds.
    pub throttle: Option<u64>,
    /// The JSON ends in the middle.
    pub cut_json: bool,
    /// A second page brings rows of the first again.
    pub repeats_page: bool,
    /// The last page says that another one follows, and leads back to the first.
    pub circles: bool,
    /// Lists have nothing in them.
    pub empty: bool,
    /// So many lists of bookings say that they are not consistent, and lack what was booked last.
    pub inconsistent: u32,
    /// Paths that contain one of these are answered 403: the token has lost that scope.
    pub forbidden: Vec<String>,
    /// What is asked for happens, and the answer is lost.
    pub lose_answer: bool,
    /// The header `Date` is off by so many seconds.
    pub skew: i64,
}

impl Faults {
    pub(super) fn concern(&self, path: &str) -> bool {
        self.only.as_deref().is_none_or(|part| {
            part.strip_prefix('=')
                .map_or_else(|| path.contains(part), |whole| path == whole)
        })
    }
}
