//! `doorward staff`: accounts and tokens of the page, over the control socket.

use super::{
    Context,
    client::Client,
    failure::{Failure, status},
    moment,
    out::{Cell, Out, Tone, plain},
};
use crate::{
    daemon::control::Done,
    web::signin::{Act, NewAccount, NewToken, Role, SecretDoc, StaffDoc},
};
use hyper::Method;

/// Arguments of `staff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward staff add ana@example.com --role desk
  doorward staff role ana@example.com manager
  doorward staff token add lobby-screen --scope events:read --scope doors:read

Roles: viewer, desk, manager, installer; each may what the one before may, and more.
Passwords and tokens are shown once. Whoever is removed, or gets another role or password, is signed out at once.
Exit status: 0; 1 if it was not done; 69 if the gateway does not run; 78 if the configuration has mistakes.")]
pub struct StaffArgs {
    /// What to do. Without it: list.
    #[command(subcommand)]
    pub action: Option<StaffAction>,
}

/// Actions of `staff`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Subcommand)]
pub enum StaffAction {
    /// Lists accounts and tokens.
    List,
    /// Makes an account with a password that is shown once and must be changed at the first sign-in.
    Add {
        /// The name, an e-mail address say.
        name: String,
        /// What it may do.
        #[arg(long, value_parser = role)]
        role: Role,
    },
    /// Removes an account.
    Remove {
        /// The name.
        name: String,
    },
    /// Gives another role.
    Role {
        /// The name.
        name: String,
        /// What it may do from now on.
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Makes a new password for somebody who forgot theirs.
    Reset {
        /// The name.
        name: String,
    },
    /// Ends every session of an account.
    SignOut {
        /// The name.
        name: String,
    },
    /// Tokens for the building network.
    Token {
        /// What to do.
        #[command(subcommand)]
        action: TokenAction,
    },
}

/// Actions of `staff token`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Subcommand)]
pub enum TokenAction {
    /// Makes a token, shown once.
    Add {
        /// What it is called.
        name: String,
        /// What it may do: status:read, events:read, doors:read, people:read, cards:write, doors:open, doors:lockdown,
        /// sync:run, audit:read. May be repeated.
        #[arg(long = "scope", required = true, value_parser = scope)]
        scopes: Vec<Act>,
    },
    /// Revokes a token, at once.
    Remove {
        /// What it is called.
        name: String,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| "viewer, desk, manager or installer".into())
}

fn scope(text: &str) -> Result<Act, String> {
    Act::from_name(text).ok_or_else(|| {
        let known: Vec<&str> = Act::ALL
            .iter()
            .filter(|act| act.fits_a_token())
            .map(|act| act.name())
            .collect();
        format!("one of {}", known.join(", "))
    })
}

pub(super) fn run(context: &Context<'_>, args: &StaffArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let runtime = context.runtime()?;
    let post = |path: &str, body: &serde_json::Value| -> Result<serde_json::Value, Failure> {
        Ok(runtime.block_on(client.json(Method::POST, path, Some(body)))?)
    };
    let account = |name: &str, role| {
        let body = NewAccount {
            name: name.to_owned(),
            role,
        };
        serde_json::to_value(body).unwrap_or_default()
    };
    let token = |name: &str, scopes: &[Act]| {
        let body = NewToken {
            name: name.to_owned(),
            scopes: scopes.to_vec(),
        };
        serde_json::to_value(body).unwrap_or_default()
    };
    let answer = match args.action.as_ref().unwrap_or(&StaffAction::List) {
        StaffAction::List => {
            let staff: StaffDoc = runtime.block_on(client.json(Method::GET, "/v1/staff", None))?;
            return list(out, &staff, &config.site.zone);
        }
        StaffAction::Add { name, role } => post("/v1/staff/add", &account(name, Some(*role)))?,
        StaffAction::Remove { name } => post("/v1/staff/remove", &account(name, None))?,
        StaffAction::Role { name, role } => post("/v1/staff/role", &account(name, Some(*role)))?,
        StaffAction::Reset { name } => post("/v1/staff/reset", &account(name, None))?,
        StaffAction::SignOut { name } => post("/v1/staff/signout", &account(name, None))?,
        StaffAction::Token {
            action: TokenAction::Add { name, scopes },
        } => post("/v1/staff/token/add", &token(name, scopes))?,
        StaffAction::Token {
            action: TokenAction::Remove { name },
        } => post("/v1/staff/token/remove", &token(name, &[]))?,
    };
    done(out, &answer)
}

fn done(out: &mut Out, answer: &serde_json::Value) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(answer)?;
        return Ok(status::OK);
    }
    if let Ok(made) = serde_json::from_value::<SecretDoc>(answer.clone()) {
        out.line(&format!("{}: {}", plain(&made.name), made.secret))?;
        out.line("This is shown once. A password must be changed at the first sign-in.")?;
    } else if let Ok(done) = serde_json::from_value::<Done>(answer.clone()) {
        let line = out.paint(Tone::Good, &done.message);
        out.line(&line)?;
    }
    Ok(status::OK)
}

fn list(out: &mut Out, staff: &StaffDoc, zone: &str) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(staff)?;
        return Ok(status::OK);
    }
    if staff.accounts.is_empty() {
        out.line("nobody has an account yet: `doorward report` shows the code for the first one")?;
    } else {
        let row = |account: &crate::web::signin::AccountDoc| {
            let note = if account.must_change {
                "password to be changed"
            } else {
                ""
            };
            vec![
                plain(&account.name).into_owned().into(),
                account.role.name().to_owned().into(),
                account.sessions.to_string().into(),
                Cell(moment::local(account.created, zone), Tone::Faint),
                plain(&account.by).into_owned().into(),
                Cell(note.into(), Tone::Watch),
            ]
        };
        let rows = staff.accounts.iter().map(row).collect();
        out.table(&["account", "role", "signed in", "made", "by", ""], rows)?;
    }
    if !staff.tokens.is_empty() {
        out.line("")?;
        let row = |token: &crate::web::signin::TokenDoc| {
            let scopes: Vec<&str> = token.scopes.iter().map(|act| act.name()).collect();
            let used = token.used.map_or("never".into(), |at| moment::local(at, zone));
            vec![
                plain(&token.name).into_owned().into(),
                scopes.join(" ").into(),
                Cell(used, Tone::Faint),
                Cell(moment::local(token.created, zone), Tone::Faint),
                plain(&token.by).into_owned().into(),
            ]
        };
        let rows = staff.tokens.iter().map(row).collect();
        out.table(&["token", "scopes", "last used", "made", "by"], rows)?;
    }
    Ok(status::OK)
}
