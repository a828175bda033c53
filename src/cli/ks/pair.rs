//! `doorward ks pair`: which card a tag is.

use crate::{
    cli::{
        Context,
        client::Client,
        failure::{Failure, status},
        out::{Out, Tone},
    },
    daemon::{
        control::Done,
        ks_tags::{PairDoc, PairShown},
    },
    domain::Credential,
};

/// Arguments of `ks pair`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks pair                                    lists the pairs
  doorward ks pair --credential uid:04A2B3C4D5E680    then present the same fob at the lock [ks] tag_reader
  doorward ks pair --forget ks:02309289

SALTO numbers its tags by itself, and no formula leads from the chip's number to that. So the same fob is presented twice,
within half a minute: at the KS lock at the desk, and at the desk's own reader, which this command stands in for.
Exit status: 0; 1 if nothing was paired.")]
pub struct PairArgs {
    /// The card that the desk's reader read.
    #[arg(long, value_name = "SCHEME:NUMBER", conflicts_with = "forget")]
    pub credential: Option<Credential>,
    /// Forgets the pair of this tag or card.
    #[arg(long, value_name = "SCHEME:NUMBER")]
    pub forget: Option<Credential>,
}

pub(super) fn run(context: &Context<'_>, args: &PairArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let (client, runtime) = (Client::new(&config.runtime_dir), context.runtime()?);
    let tell = |path: &str, credential: Credential| {
        runtime.block_on(client.tell::<Done>(path, &PairDoc { credential }))
    };
    match (args.credential, args.forget) {
        (Some(card), _) => done(out, &tell("/v1/ks/pair", card)?),
        (None, Some(given)) => done(out, &tell("/v1/ks/pair/forget", given)?),
        (None, None) => {
            let pairs: Vec<PairShown> = runtime.block_on(client.ask("/v1/ks/pairs"))?;
            list(out, &pairs)
        }
    }
}

fn list(out: &mut Out, pairs: &[PairShown]) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(&pairs)?;
        return Ok(status::OK);
    }
    if pairs.is_empty() {
        out.line("no tag is paired with a card")?;
    }
    for pair in pairs {
        out.line(&format!("tag {} is card {}", pair.tag, pair.card))?;
    }
    Ok(status::OK)
}

/// Prints what was done.
pub(super) fn done(out: &mut Out, done: &Done) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(done)?;
    } else {
        let message = out.paint(Tone::Good, &done.message);
        out.line(&message)?;
    }
    Ok(status::OK)
}
