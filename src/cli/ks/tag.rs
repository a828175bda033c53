//! `doorward ks tag register|assign|block|replace`.

use super::pair::done;
use crate::{
    cli::{
        Context,
        client::{Client, ClientError},
        failure::{Failure, status},
        out::{Out, Tone},
    },
    daemon::{
        control::Done,
        ks_tags::{AssignDoc, BlockDoc, RegisterDoc, RegisteringDoc, ReplaceDoc},
    },
    domain::Credential,
};
use std::time::Duration;
use tokio::time::sleep;

/// How often the gateway is asked how it goes.
const LOOK: Duration = Duration::from_millis(500);
/// The countdown is printed this often, in seconds.
const COUNT: u64 = 10;

/// Arguments of `ks tag`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks tag register --lock \"Desk reader\" --person 4711
  doorward ks tag assign ks:02309289 --person 4711
  doorward ks tag block ks:02309289 --note lost
  doorward ks tag replace ks:02309289 --by ks:01507333

Exit status: 0; 1 if it was not done.")]
pub struct TagArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: TagAction,
}

/// Actions of `ks tag`.
#[derive(Debug, clap::Subcommand)]
pub enum TagAction {
    /// Has a lock read new tags for a while.
    Register {
        /// The lock, by its name at SALTO KS or its UUID.
        #[arg(long, value_name = "LOCK")]
        lock: String,
        /// For how long.
        #[arg(long, value_name = "N", default_value_t = 120)]
        seconds: u64,
        /// Who gets the first new tag: the platform's id.
        #[arg(long, value_name = "ID")]
        person: Option<String>,
        /// Prints numbers in full.
        #[arg(long)]
        show_number: bool,
    },
    /// Gives a tag to a person, here and at SALTO KS.
    Assign {
        /// The tag, ks: and eight digits.
        tag: Credential,
        /// The platform's id of the person.
        #[arg(long, value_name = "ID")]
        person: String,
    },
    /// Blocks a tag here, and takes it from its holder at SALTO KS.
    Block {
        /// The tag.
        tag: Credential,
        /// Why.
        #[arg(long, value_name = "TEXT", default_value = "blocked")]
        note: String,
    },
    /// Blocks a tag and gives another to the same person.
    Replace {
        /// The old tag.
        old: Credential,
        /// The new one.
        #[arg(long, value_name = "TAG")]
        by: Credential,
        /// Why.
        #[arg(long, value_name = "TEXT", default_value = "replaced")]
        note: String,
    },
}

pub(super) fn run(context: &Context<'_>, args: &TagArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let (client, runtime) = (Client::new(&config.runtime_dir), context.runtime()?);
    let told: Result<Done, ClientError> = runtime.block_on(async {
        match &args.action {
            TagAction::Register { .. } => Ok(Done {
                message: String::new(),
            }),
            TagAction::Assign { tag, person } => {
                let body = AssignDoc {
                    tag: *tag,
                    person: person.as_str().into(),
                };
                client.tell("/v1/ks/tags/assign", &body).await
            }
            TagAction::Block { tag, note } => {
                let body = BlockDoc {
                    tag: *tag,
                    note: note.clone(),
                };
                client.tell("/v1/ks/tags/block", &body).await
            }
            TagAction::Replace { old, by, note } => {
                let body = ReplaceDoc {
                    old: *old,
                    new: *by,
                    note: note.clone(),
                };
                client.tell("/v1/ks/tags/replace", &body).await
            }
        }
    });
    let TagAction::Register {
        lock,
        seconds,
        person,
        show_number,
    } = &args.action
    else {
        return done(out, &told?);
    };
    let asked = RegisterDoc {
        lock: lock.clone(),
        seconds: *seconds,
        person: person.as_deref().map(Into::into),
    };
    let over = runtime.block_on(register(&client, &asked, out))?;
    show(out, &over, *show_number)
}

/// Counts down until the registration is over.
async fn register(client: &Client, asked: &RegisterDoc, out: &mut Out) -> Result<RegisteringDoc, Failure> {
    let mut now: RegisteringDoc = client.tell("/v1/ks/tags/register", asked).await?;
    let mut said = None;
    while !now.over {
        let step = now.seconds_left.div_ceil(COUNT);
        if !out.is_json() && said != Some((step, now.tags.len())) {
            let text = format!(
                "\"{}\" reads new tags for {} s more; {} read so far",
                now.lock,
                now.seconds_left,
                now.tags.len()
            );
            out.line(&text)?;
            said = Some((step, now.tags.len()));
        }
        sleep(LOOK).await;
        now = client.ask("/v1/ks/tags/register").await?;
    }
    Ok(now)
}

fn show(out: &mut Out, over: &RegisteringDoc, in_full: bool) -> Result<u8, Failure> {
    let tags = over.tags.iter().map(|tag| {
        if in_full {
            tag.reveal_in_full()
        } else {
            tag.masked()
        }
    });
    let tags: Vec<String> = tags.collect();
    if out.is_json() {
        out.json(&serde_json::json!({
            "lock": over.lock, "tags": tags, "given": over.given, "error": over.error,
        }))?;
    } else {
        for tag in &tags {
            let text = out.paint(Tone::Good, &format!("new tag {tag}"));
            out.line(&text)?;
        }
        if tags.is_empty() {
            out.line(
                "no new tag was read; a tag that is registered already, here or at another site, is none",
            )?;
        }
        for words in [&over.given, &over.error].into_iter().flatten() {
            out.line(words)?;
        }
    }
    let well = !over.tags.is_empty() && over.error.is_none();
    Ok(if well { status::OK } else { status::FAILED })
}
