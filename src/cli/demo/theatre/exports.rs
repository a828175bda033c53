//! The platform's tables as files: what staff export where there is no bridge, read as the gateway reads them.

use super::{Halt, Theatre};
use crate::cli::demo::verdict::Line;
use serde_json::Value;
use std::{path::Path, process::Command};

impl Theatre {
    /// Staff export their tables; `doorward rules preview` reads the files and must warn of these people.
    pub(super) fn exports(&mut self, warns_of: &'static str, rule: u8) -> Result<(), Halt> {
        self.caption("staff export their tables as files; the gateway's rules read them");
        let folder = self.stage.folder("export");
        let warnings = self
            .office
            .export(&folder)
            .and_then(|()| preview(&self.stage.config(), &folder));
        self.lines.push(Line::exported(warns_of, warnings, rule));
        self.frame()
    }
}

/// What `doorward rules preview` warns of in these files.
fn preview(config: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let text = |error: std::io::Error| error.to_string();
    let output = Command::new(std::env::current_exe().map_err(text)?)
        .arg("--config")
        .arg(config)
        .args(["--json", "rules", "preview", "--facts"])
        .arg(folder)
        .output()
        .map_err(text)?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).trim().to_owned())?;
    let warnings = said.get("warnings").and_then(Value::as_array);
    let warnings = warnings.into_iter().flatten().filter_map(Value::as_str);
    Ok(warnings.map(str::to_owned).collect())
}
