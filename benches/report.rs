//! Where figures go, and how single calls are timed.

use serde_json::{Map, Value, json};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Where the figures of all runs are.
pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench.json")
}

/// Whatever stops a part.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The figures of this run.
#[derive(Default)]
pub(crate) struct Report {
    figures: Map<String, Value>,
}

impl Report {
    /// States a figure: a line now, and an entry of the file at the end.
    #[expect(clippy::print_stdout, reason = "figures go to standard output, one a line")]
    pub(crate) fn figure(&mut self, name: &str, value: f64, unit: &str) {
        println!("{name} {value:.3} {unit}");
        self.figures
            .insert(name.to_owned(), json!({ "value": value, "unit": unit }));
    }

    /// States something that is not a number, for the file.
    pub(crate) fn note(&mut self, name: &str, text: &str) {
        crate::site::say(&format!("{name}: {text}"));
        self.figures.insert(name.to_owned(), json!({ "text": text }));
    }

    /// Merges the figures so far into target/bench.json.
    pub(crate) fn save(&mut self) -> Result<(), Failure> {
        let mut all: Map<String, Value> = match std::fs::read(path()) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
            Err(error) => return Err(error.into()),
        };
        all.append(&mut self.figures);
        Ok(std::fs::write(path(), serde_json::to_vec_pretty(&all)?)?)
    }
}

/// The instant now.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How long `work` takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = now();
    let result = work();
    (start.elapsed(), result)
}

/// Times of single calls, sorted, in nanoseconds, each less what reading the clock twice costs.
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// Times `call` for each of `inputs`, one by one. What it returns is kept from being optimised away.
    pub(crate) fn of<I, T>(inputs: impl IntoIterator<Item = I>, mut call: impl FnMut(I) -> T) -> Self {
        let overhead = clock_cost();
        let mut samples: Vec<f64> = inputs
            .into_iter()
            .map(|input| {
                let (taken, result) = timed(|| call(std::hint::black_box(input)));
                std::hint::black_box(result);
                (nanos(taken) - overhead).max(0.0)
            })
            .collect();
        samples.sort_by(f64::total_cmp);
        Self(samples)
    }

    /// Times that were taken elsewhere.
    pub(crate) fn from(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut samples: Vec<f64> = times.into_iter().map(nanos).collect();
        samples.sort_by(f64::total_cmp);
        Self(samples)
    }

    /// The sample below which this share of them lies, in milliseconds.
    pub(crate) fn millis_at(&self, share: f64) -> f64 {
        self.micros_at(share) / 1_000.0
    }

    /// The sample below which this share of them lies, in microseconds.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list of less than a million samples"
    )]
    pub(crate) fn micros_at(&self, share: f64) -> f64 {
        let place = (self.0.len() as f64 * share) as usize;
        self.0
            .get(place)
            .or_else(|| self.0.last())
            .copied()
            .unwrap_or(0.0)
            / 1_000.0
    }
}

/// The median of timing nothing, in nanoseconds.
pub(crate) fn clock_cost() -> f64 {
    let mut nothing: Vec<f64> = (0..10_001).map(|_| nanos(timed(|| ()).0)).collect();
    nothing.sort_by(f64::total_cmp);
    nothing.get(nothing.len() / 2).copied().unwrap_or(0.0)
}

fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}
