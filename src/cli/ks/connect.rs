//! `doorward ks connect`: the installer's walk. The gateway logs in and keeps the tokens; this command shows the way,
//! carries the browser's answer, and prints what was found. It changes nothing at SALTO and writes over no file.

use super::receiver::{Back, PATH, Receiver};
use crate::{
    cli::{
        Context,
        client::Client,
        failure::{Failure, status},
        out::{Cell, Out, Tone, plain},
    },
    config::{Config, model::KsLogin},
    daemon::{
        control::Done,
        ks_connect::{AddressDoc, BeginDoc, ChooseDoc, LoginDoc},
    },
    salto::{Survey, survey::SiteSeen},
};
use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    net::SocketAddr,
    time::Duration,
};
use tokio::{sync::mpsc, time::interval};

/// How long somebody may take to log in; the gateway waits no longer either.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How often the gateway is asked whether its own page has heard the browser.
const LOOK: Duration = Duration::from_secs(3);

/// Arguments of `ks connect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks connect                              asks for what it needs
  doorward ks connect --listen 127.0.0.1:8745      the browser runs on this machine
  doorward ks connect --site 6f2d3f0e-5a52-4c39-9f0c-0d2f6f6f1c11 --json
  doorward ks connect --password                   tests the system user of the configuration

What is needed first: a client at SALTO, in [ks] client_id and client_secret, and a running gateway. Somebody who
is administrator of the site logs in at SALTO's own page: the gateway never sees that password.
Exit status: 0 if everything is there, 1 if not, 64 if a choice is needed and there is nobody to ask.")]
pub struct ConnectArgs {
    /// The site's UUID, instead of a question.
    #[arg(long, value_name = "UUID")]
    pub site: Option<String>,
    /// Only tests the system user that the configuration names.
    #[arg(long, conflicts_with_all = ["listen", "again"])]
    pub password: bool,
    /// Waits for the browser here instead of at the gateway's page; SALTO must know http://ADDR/ks/callback.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Logs in again though the login works, as somebody else say.
    #[arg(long)]
    pub again: bool,
    /// Asks nothing: what is missing is an error.
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(context: &Context<'_>, args: &ConnectArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let Some(ks) = &config.ks else {
        return Err(not_configured(&context.args.config.display().to_string()));
    };
    let by_password = matches!(ks.login, KsLogin::Password { .. });
    if args.password && !by_password {
        return Err(Failure::new(
            status::USAGE,
            "no system user is configured",
            "set [ks] username and password, where SALTO granted that; or leave --password out to log in at SALTO",
        ));
    }
    let walk = Walk {
        args,
        config: &config,
        client: Client::new(&config.runtime_dir),
        asks: !args.yes && io::stdin().is_terminal(),
    };
    context.runtime()?.block_on(walk.walk(out))
}

fn not_configured(file: &str) -> Failure {
    Failure::new(
        status::CONFIG,
        "the configuration has no [ks]",
        "ask SALTO for a Connect client, tell it the address https://GATEWAY/ks/callback for the login, and add what is above",
    )
    .with_details(format!(
        "{file} needs:\n\n  [ks]\n  client_id = \"…\"\n  client_secret = {{ file = \"/etc/doorward/ks-client-secret\" }}\n  redirect_url = \"https://GATEWAY/ks/callback\"\n\nwith the secret alone in that file, chmod 600, owned by the gateway's user."
    ))
}

struct Walk<'a> {
    args: &'a ConnectArgs,
    config: &'a Config,
    client: Client,
    asks: bool,
}

impl Walk<'_> {
    async fn walk(&self, out: &mut Out) -> Result<u8, Failure> {
        let login: LoginDoc = self.client.ask("/v1/ks/login").await?;
        if !login.by_code && !login.logged_in {
            let why = login.why.unwrap_or_else(|| "the login does not work".into());
            return Err(Failure::new(status::FAILED, why, ""));
        }
        if login.by_code && (self.args.again || !login.logged_in) {
            self.log_in(login.logins).await?;
        }
        if let Some(site) = &self.args.site {
            self.choose(site).await?;
        }
        let mut seen = self.look().await?;
        if seen.site.is_none() && seen.sites.len() > 1 && self.asks {
            let site = asked_for_site(&seen)?;
            self.choose(&site).await?;
            seen = self.look().await?;
        }
        show(out, &seen)?;
        let undecided = seen.site.is_none() && seen.sites.len() > 1;
        Ok(match (seen.is_good(), undecided) {
            (true, _) => status::OK,
            (false, true) => status::USAGE,
            (false, false) => status::FAILED,
        })
    }

    async fn look(&self) -> Result<Survey, Failure> {
        Ok(self.client.ask("/v1/ks/survey").await?)
    }

    async fn choose(&self, site: &str) -> Result<(), Failure> {
        let asked = ChooseDoc {
            site: site.to_owned(),
        };
        let _: Done = self.client.tell("/v1/ks/site", &asked).await?;
        Ok(())
    }

    async fn log_in(&self, before: u64) -> Result<(), Failure> {
        let mut receiver = match self.args.listen {
            None => None,
            Some(at) => Some(Receiver::listen(at).await.map_err(|error| {
                let message = format!("cannot listen at {at}: {error}");
                Failure::new(status::FAILED, message, "choose another address with --listen")
            })?),
        };
        let redirect = receiver.as_ref().map(|receiver| receiver.redirect.clone());
        let own_page = self.own_page();
        let begin = BeginDoc {
            redirect: redirect.or_else(|| own_page.clone()),
        };
        let address: AddressDoc = self.client.tell("/v1/ks/login/begin", &begin).await?;
        if receiver
            .as_ref()
            .is_some_and(|own| own.redirect != address.redirect)
        {
            // The configuration names another place: nobody will come here.
            receiver = None;
        }
        if receiver.is_none() && !self.asks && own_page.is_none() {
            return Err(Failure::new(
                status::USAGE,
                "somebody has to log in at SALTO, and there is nobody to ask",
                "run it at a terminal, or with --listen ADDR where SALTO knows http://ADDR/ks/callback",
            ));
        }
        self.tell_where(&address, receiver.is_some());
        let ended = tokio::time::timeout(PATIENCE, self.browser(receiver, own_page.map(|_| before))).await;
        match ended {
            Ok(Some(back)) => {
                let failed =
                    |words: String| Failure::new(status::FAILED, words, "run `doorward ks connect` again");
                let answer = back.answer().map_err(failed)?;
                let _: Done = self.client.tell("/v1/ks/login/finish", &answer).await?;
                Ok(())
            }
            // The gateway's own page has done the rest.
            Ok(None) => Ok(()),
            Err(_) => Err(Failure::new(
                status::FAILED,
                "nobody logged in within a quarter of an hour",
                "run `doorward ks connect` again",
            )),
        }
    }

    /// The address at the gateway's page, if one is served and known from outside.
    fn own_page(&self) -> Option<String> {
        let page = self.config.page.as_ref()?.public_url.as_ref()?;
        Some(format!("{}{PATH}", page.as_str().trim_end_matches('/')))
    }

    fn tell_where(&self, address: &AddressDoc, listens: bool) {
        let mut stderr = io::stderr();
        let how = match (listens, self.asks) {
            (true, _) => "The browser comes back to this command.",
            (false, true) => {
                "If the browser ends at a page that does not load, paste that page's whole address here and press Enter."
            }
            (false, false) => "The browser comes back to the gateway's page.",
        };
        // Not the outcome: standard output is for that.
        let _ = writeln!(
            stderr,
            "Open this address in a browser and log in as an administrator of the site:\n\n{}\n\nSALTO sends the browser back to {}. {how}",
            address.url, address.redirect
        );
    }

    /// Whoever brings the answer first: the browser here, the gateway's page (then there is nothing left to do), or a
    /// person who pastes it. `before`: how often somebody had logged in, if the gateway's page may hear it.
    async fn browser(&self, mut receiver: Option<Receiver>, before: Option<u64>) -> Option<Back> {
        let mut pasted = self.asks.then(paste);
        let mut turn = interval(LOOK);
        loop {
            tokio::select! {
                Some(back) = async { receiver.as_mut()?.next().await }, if receiver.is_some() => return Some(back),
                Some(back) = async { pasted.as_mut()?.recv().await }, if pasted.is_some() => return Some(back),
                _ = turn.tick(), if before.is_some() => {
                    let login: Result<LoginDoc, _> = self.client.ask("/v1/ks/login").await;
                    if login.is_ok_and(|login| Some(login.logins) != before) {
                        return None;
                    }
                }
            }
        }
    }
}

/// Addresses that somebody pastes. The thread ends with the process: a read of a terminal cannot be broken off.
fn paste() -> mpsc::Receiver<Back> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            match Back::of_address(&line) {
                Some(back) => {
                    let _ = sender.blocking_send(back);
                    return;
                }
                None if line.trim().is_empty() => {}
                None => {
                    let _ = writeln!(
                        io::stderr(),
                        "That address holds no answer; it ends with ?code=…&state=…"
                    );
                }
            }
        }
    });
    receiver
}

fn asked_for_site(seen: &Survey) -> Result<String, Failure> {
    let mut stderr = io::stderr();
    let mut text = String::from("The login sees several sites:\n");
    for (number, site) in seen.sites.iter().enumerate() {
        text += &format!("  {}  {}  {}\n", number + 1, plain(&site.name), site.id);
    }
    text += "Which one is this gateway's? ";
    write!(stderr, "{text}").and_then(|()| stderr.flush())?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let number = line
        .trim()
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(1));
    let site = number.and_then(|number| seen.sites.get(number));
    site.map(|site| site.id.clone())
        .ok_or_else(|| Failure::new(status::USAGE, "that is none of them", "add --site UUID"))
}

fn show(out: &mut Out, seen: &Survey) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(seen);
    }
    match &seen.site {
        Some(site) => show_site(out, seen, site)?,
        None => {
            out.line(&format!("{}: no site is chosen yet", seen.place))?;
            for site in &seen.sites {
                out.line(&format!("  {}  {}", site.id, plain(&site.name)))?;
            }
        }
    }
    out.line("")?;
    let rows = seen.checks.iter().map(|check| {
        let (word, tone) = if check.good {
            ("yes", Tone::Good)
        } else {
            ("no", Tone::Bad)
        };
        let words = plain(&check.words).into_owned();
        vec![check.what.as_str().into(), Cell(word.into(), tone), words.into()]
    });
    out.table(&["tried", "works", ""], rows.collect())?;
    for warning in &seen.warnings {
        let mark = out.paint(Tone::Watch, "note");
        out.line(&format!("{mark}: {}", plain(warning)))?;
    }
    show_doors(out, seen)
}

fn show_site(out: &mut Out, seen: &Survey, site: &SiteSeen) -> Result<(), Failure> {
    let name = out.paint(Tone::Strong, &plain(&site.name));
    out.line(&format!("{name} at {} ({})", seen.place, site.id))?;
    let number =
        |number: Option<u32>| number.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
    let yes = |has: bool| if has { "yes" } else { "no" };
    let rows = vec![
        vec!["zone".into(), site.zone.as_deref().unwrap_or("unknown").into()],
        vec![
            "seats".into(),
            format!("{} taken of {}", number(site.seats_taken), number(site.seats)).into(),
        ],
        vec!["entries as they happen".into(), yes(site.events_streaming).into()],
        vec![
            "tags registered at a lock".into(),
            yes(site.smart_tag_assignment).into(),
        ],
    ];
    out.table(&[], rows)
}

/// What might be added to the configuration. Nothing is written.
fn show_doors(out: &mut Out, seen: &Survey) -> Result<(), Failure> {
    let new: Vec<_> = seen
        .doors
        .iter()
        .filter(|door| door.configured.is_none())
        .collect();
    if !new.is_empty() && !seen.locks.is_empty() {
        out.line("\nDoors without a lock yet; add the line if SALTO KS decides the door:")?;
        for door in new {
            let line = match &door.lock {
                Some(lock) => format!("  [[door]] {}: ks_lock = {:?}", door.door, plain(lock)),
                None => format!("  [[door]] {}: no lock is called like it", door.door),
            };
            out.line(&line)?;
        }
    }
    if seen.doors.is_empty() && !seen.locks.is_empty() {
        out.line("\nLocks that a [[door]] may name as ks_lock:")?;
        for lock in &seen.locks {
            out.line(&format!("  {:?}", plain(&lock.name)))?;
        }
    }
    Ok(())
}
