//! Where the answers come from: flags, files, or a person at a terminal.

use super::{
    ConnectArgs, Kind,
    keys::{self, Form, Key},
};
use crate::{
    cli::failure::{Failure, status},
    domain::secret::Secret,
};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
};

/// An answer.
#[derive(Debug)]
pub(super) enum Value {
    /// As it stands in the configuration.
    Text(String),
    /// A file that holds a secret already.
    File(PathBuf),
    /// A secret that was typed.
    Typed(Secret),
}

/// All answers, in the order of the keys.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<(&'static Key, Value)>);

impl Given {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(&'static Key, Value)> {
        self.0.iter()
    }

    /// The secrets that were typed and stand in no file yet.
    pub(super) fn typed(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        self.0.iter().filter_map(|(key, value)| match value {
            Value::Typed(secret) => Some((key.name, secret)),
            _ => None,
        })
    }
}

/// All that the platform needs.
pub(super) fn collect(args: &ConnectArgs) -> Result<Given, Failure> {
    let mut flags = flags(args)?;
    let mut given = Given::default();
    let person = io::stdin().is_terminal();
    let bridged = args.platform == Kind::Coworks && flags.iter().any(|(key, _)| key.name == "url");
    for key in keys::of(args.platform) {
        if let Some(at) = flags.iter().position(|(named, _)| named.name == key.name) {
            given.0.push((key, flags.swap_remove(at).1));
            continue;
        }
        // Over a bridge Coworks needs a token and no folder.
        let needed = match (bridged, key.name) {
            (true, "path") => false,
            (true, "token") => true,
            _ => key.needed,
        };
        if !needed {
            continue;
        }
        if !person {
            return Err(not_given(args.platform, key));
        }
        given.0.push((key, asked(key)?));
    }
    Ok(given)
}

fn not_given(kind: Kind, key: &Key) -> Failure {
    let flag = match key.form {
        Form::Secret => format!("--secret {}=FILE", key.name),
        _ => format!("--set {}=…", key.name),
    };
    let message = format!("{} needs {}: {}", kind.word(), key.name, key.asks);
    let hint = format!("there is no terminal to ask at: add {flag}");
    Failure::new(status::USAGE, message, hint)
}

fn flags(args: &ConnectArgs) -> Result<Vec<(&'static Key, Value)>, Failure> {
    let wrong = |message: String, hint: String| Failure::new(status::USAGE, message, hint);
    let known = keys::of(args.platform);
    let find = |text: &str, secret: bool| {
        // Nothing behind the `=` is repeated: somebody may have put a secret there.
        let (name, value) = text.split_once('=').ok_or_else(|| {
            wrong(
                "a flag needs key=value".into(),
                "as in --set url=https://…".into(),
            )
        })?;
        let key = known.iter().find(|key| key.name == name).ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|key| key.name).collect();
            wrong(
                format!("{} has no `{}`", args.platform.word(), name.escape_debug()),
                format!("its keys are {}", names.join(", ")),
            )
        })?;
        match (key.form == Form::Secret, secret) {
            (true, false) => Err(wrong(
                format!("{name} is a secret and does not belong on a command line"),
                format!("put it into a file, chmod 600, and add --secret {name}=FILE"),
            )),
            (false, true) => Err(wrong(
                format!("{name} is no secret"),
                format!("add --set {name}=…"),
            )),
            _ => Ok((key, value.to_owned())),
        }
    };
    let mut flags = Vec::new();
    for text in &args.set {
        let (key, value) = find(text, false)?;
        flags.push((key, plain(key, value)?));
    }
    for text in &args.secret {
        let (key, value) = find(text, true)?;
        flags.push((key, Value::File(std::path::absolute(value)?)));
    }
    Ok(flags)
}

/// A value that is no secret.
fn plain(key: &Key, value: String) -> Result<Value, Failure> {
    let value = value.trim().to_owned();
    match key.form {
        Form::Number if value.parse::<u64>().is_err() => {
            let message = format!("{} must be a whole number", key.name);
            Err(Failure::new(status::USAGE, message, key.asks))
        }
        Form::Path => {
            let path = std::path::absolute(&value)?;
            Ok(Value::Text(path.display().to_string()))
        }
        _ => Ok(Value::Text(value)),
    }
}

/// Asks at the terminal. Questions go to standard error: standard output is for the outcome.
fn asked(key: &Key) -> Result<Value, Failure> {
    let prompt = format!("{} ({}): ", key.asks, key.name);
    if key.form != Form::Secret {
        return plain(key, line(&prompt)?);
    }
    hidden(&prompt).map(Value::Typed)
}

/// Asks for a secret at the terminal, which does not show it.
pub(in crate::cli) fn hidden(prompt: &str) -> Result<Secret, Failure> {
    let quiet = Quiet::begin();
    let typed = line(prompt);
    drop(quiet);
    let _ = writeln!(io::stderr());
    typed.map(Secret::new)
}

fn line(prompt: &str) -> Result<String, Failure> {
    let mut stderr = io::stderr();
    let asked = write!(stderr, "{prompt}").and_then(|()| stderr.flush());
    let mut text = String::new();
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut text));
    match read {
        Ok(length) if length > 0 && !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Ok(_) => Err(Failure::new(status::USAGE, "nothing was given", "")),
        Err(error) => Err(Failure::new(status::FAILED, format!("cannot ask: {error}"), "")),
    }
}

/// The terminal does not show what is typed, until this is dropped.
struct Quiet(Option<Termios>);

impl Quiet {
    fn begin() -> Self {
        let Ok(before) = tcgetattr(io::stdin()) else {
            return Self(None);
        };
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        let set = tcsetattr(io::stdin(), OptionalActions::Flush, &quiet);
        Self(set.is_ok().then_some(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before); // the shell mends it as well
        }
    }
}
