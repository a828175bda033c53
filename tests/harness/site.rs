//! What sites of scenarios have in common: a configuration put together table by table, and what a scenario asks of
//! the running daemon.

use super::{Gateway, wait_for};
use doorward_peers::{cloud::Cloud, osdp::Bus, wradapt::Wradapt};
use serde_json::Value;

/// A configuration. Every method adds a table, so each site says only what it is about. `{dir}` stays for
/// [`Gateway::new`].
#[derive(Clone, Debug)]
pub(crate) struct Layout(String);

impl Layout {
    /// The site "here" in Madrid, with a clock as `clock` says: the lines of `[clock]`.
    pub(crate) fn new(clock: &str) -> Self {
        let site = "[site]\nid = \"here\"\nname = \"Here\"\nzone = \"Europe/Madrid\"";
        let paths = "[paths]\nstate = \"{dir}/state\"\nruntime = \"{dir}/run\"";
        Self(format!("{site}\n{paths}\n[clock]\n{clock}\n"))
    }

    /// A table: its heading with brackets, and its lines.
    pub(crate) fn table(mut self, heading: &str, lines: &str) -> Self {
        self.0 += &format!("{heading}\n{lines}\n");
        self
    }

    /// Facts out of `{dir}/facts.toml`.
    pub(crate) fn facts_file(self) -> Self {
        self.table("[cloud]", "kind = \"file\"\npath = \"{dir}/facts.toml\"")
    }

    /// The reference cloud, behind `url` if something stands between, with more lines. Its token goes into the file
    /// `token`: [`Gateway::secret`].
    pub(crate) fn cloud(self, cloud: &Cloud, url: Option<&str>, more: &str) -> Self {
        let url = url.map_or_else(|| cloud.url(), str::to_owned);
        let token = "token = { file = \"{dir}/token\" }";
        self.table(
            "[cloud]",
            &format!("kind = \"contract\"\nurl = \"{url}\"\n{token}\n{more}"),
        )
    }

    /// The groups of a plan, of a resource: `map("plans", "Flex", &["members"])`.
    pub(crate) fn map(self, what: &str, name: &str, groups: &[&str]) -> Self {
        self.table(&format!("[map.{what}]"), &format!("\"{name}\" = {groups:?}"))
    }

    /// A group of doors.
    pub(crate) fn group(self, id: &str, doors: &[&str]) -> Self {
        self.table("[[group]]", &format!("id = \"{id}\"\ndoors = {doors:?}"))
    }

    /// An OSDP bus with the reader of the front door at address 3, with more lines for the reader.
    pub(crate) fn osdp(self, bus: &Bus, more: &str) -> Self {
        let line = format!("id = \"bus\"\npath = \"{}\"\nbaud = 115200", bus.path().display());
        self.table("[[line]]", &line)
            .reader(&format!("address = 3\n{more}"))
    }

    /// The line "side" with the front door's WRADAPT.
    pub(crate) fn wradapt(self, reader: &Wradapt) -> Self {
        let path = reader.path().display();
        let line = format!("id = \"side\"\npath = \"{path}\"\nkind = \"wradapt\"");
        self.table("[[line]]", &line).reader("")
    }

    fn reader(self, more: &str) -> Self {
        self.table(
            "[[line.reader]]",
            &format!("id = \"front-reader\"\ndoor = \"front\"\n{more}"),
        )
    }

    /// A door, with more lines.
    pub(crate) fn door(self, id: &str, more: &str) -> Self {
        self.table("[[door]]", &format!("id = \"{id}\"\n{more}"))
    }

    /// The text of the configuration.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// The lines of a door with a strike on its OSDP reader's second output.
pub(crate) const FRONT_DOOR: &str =
    "name = \"Front door\"\nrelease = { reader = \"front-reader\", output = 1 }\nrelease_seconds = 4";

impl Gateway {
    /// `doorward report`.
    pub(crate) fn report(&self) -> Value {
        self.json_of_any_status(&["report"])
    }

    /// Waits until the reader of [`Layout::osdp`] answers and there are facts, fetched now or before.
    #[track_caller]
    pub(crate) fn settle(&self) {
        wait_for("reader and facts", || {
            let status = self.report();
            let online = status["sections"]["lines"]["bus"]["readers"]["front-reader"]["online"] == true;
            let facts = status["sections"]["sync"]["version"].is_u64();
            if online && facts { Ok(()) } else { Err(status) }
        });
    }

    /// The journal as `doorward events --json` tells it.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        let (status, out, error) = self.command(&["events", "--json", "--limit", "100000"]);
        assert_eq!(status, 0, "{error}");
        out.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}
