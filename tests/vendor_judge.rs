//! The vendor's own OpenAPI document as a judge between an adapter and its simulator (`tests/peers/openapi_judge.py`).
//! The documents are not part of the repository: without them there is nothing to judge by.
#![cfg(test)] // so that the lints know helpers here for test code

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A running judge. Its address stands in for the vendor's.
pub(crate) struct Judge {
    child: Child,
    url: String,
}

/// What it found.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    /// Requests that were validated.
    pub(crate) requests: usize,
    /// The same, by operation: `get /spaces/{spaceId}/bookings`.
    pub(crate) operations: BTreeMap<String, usize>,
    /// Requests that were let through without a document.
    pub(crate) passed: usize,
    /// Answers of the simulator that were validated.
    pub(crate) answers: usize,
    /// Requests that are not as the document says, and why.
    pub(crate) invalid: Vec<String>,
    /// The same of answers.
    pub(crate) invalid_answers: Vec<String>,
}

/// The folder of the vendors' documents, as `scripts/contract` names it.
#[expect(
    clippy::disallowed_methods,
    reason = "how scripts/contract tells a test what it has found"
)]
fn environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

impl Judge {
    /// Starts one for a document of the folder, in front of a simulator. `None` when `scripts/contract` does not ask
    /// for it or has no such document. `passes`: beginnings of paths that the document does not have.
    pub(crate) fn start(document: &str, simulator: &str, passes: &[&str]) -> Option<Self> {
        let document = environment("DOORWARD_SPECS")?.join(document);
        if !document.is_file() {
            return None;
        }
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new(root.join("target/venv/bin/python"))
            .arg(root.join("tests/peers/openapi_judge.py"))
            .arg(document)
            .arg(simulator)
            .args(passes.iter().flat_map(|prefix| ["--pass", prefix]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        let url = url.trim().to_owned();
        assert!(
            url.starts_with("http://"),
            "the judge did not start; see its error above"
        );
        Some(Self { child, url })
    }

    /// Its address, in place of the vendor's.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it found until now.
    pub(crate) fn report(&self) -> Report {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap()).unwrap();
        stream
            .write_all(b"GET /.judged HTTP/1.1\r\nHost: judge\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Fails unless something was validated and all of it is as the document says; leaves a summary where
    /// `scripts/contract` finds it.
    #[track_caller]
    pub(crate) fn verdict(self, platform: &str) -> Report {
        let report = self.report();
        assert!(report.invalid.is_empty(), "{platform}: {:#?}", report.invalid);
        assert!(
            report.invalid_answers.is_empty(),
            "{platform}: {:#?}",
            report.invalid_answers
        );
        assert!(report.requests > 0, "{platform}: nothing was validated");
        if let Some(folder) = environment("DOORWARD_JUDGED") {
            let mut text = format!(
                "{platform}: {} requests of {} operations and {} answers are as the vendor's document says",
                report.requests,
                report.operations.len(),
                report.answers
            );
            if report.passed > 0 {
                let _ = write!(text, "; {} requests have no document", report.passed);
            }
            text.push('\n');
            for (operation, count) in &report.operations {
                let _ = writeln!(text, "  {count:4} {operation}");
            }
            std::fs::write(folder.join(format!("{platform}.txt")), text).unwrap();
        }
        report
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}
