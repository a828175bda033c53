//! `doorward ks open`: a door that SALTO KS decides is opened once, by the gateway and in its name.

use crate::{
    cli::{
        Context,
        client::Client,
        connect::ask,
        failure::{Failure, status},
        out::{Cell, Out, Tone, plain},
    },
    daemon::{
        control::Done,
        ks_open::{OpenDoc, PinDoc, PrepareDoc},
    },
    domain::secret::Secret,
    salto::open::{IqDoc, IqState},
};
use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
};

/// Arguments of `ks open`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks open --door front-door
  doorward ks open --setup                         once: asks for the PIN that SALTO mails for each IQ
  doorward ks open --pin Cellar=pin.txt            the same with nobody to ask, after --setup --yes

The journal says who asked. A door under lockdown stays shut.
Exit status: 0 if SALTO KS opened it; 1 if not; 69 if the gateway does not run; 78 if the configuration has mistakes.")]
pub struct OpenArgs {
    /// Which door, by its id or name.
    #[arg(long, value_name = "DOOR", required_unless_present_any = ["setup", "pin"], conflicts_with_all = ["setup", "pin"])]
    pub door: Option<String>,
    /// Sets up the one-time passwords that most IQs want.
    #[arg(long)]
    pub setup: bool,
    /// With --setup: also IQs that are ready, after the same user was activated in SALTO's app say.
    #[arg(long, requires = "setup")]
    pub again: bool,
    /// With --setup: has the PINs mailed and asks for none.
    #[arg(long, requires = "setup")]
    pub yes: bool,
    /// The file with the PIN that was mailed for an IQ, as IQ=FILE; again for each.
    #[arg(long, value_name = "IQ=FILE")]
    pub pin: Vec<String>,
}

pub(super) fn run(context: &Context<'_>, args: &OpenArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let runtime = context.runtime()?;
    if let Some(door) = &args.door {
        let asked = OpenDoc { door: door.clone() };
        let done: Done = runtime.block_on(client.tell("/v1/ks/open", &asked))?;
        return told(out, &done);
    }
    let activate = |iq: &str, pin: &Secret| -> Result<Done, Failure> {
        let asked = PinDoc {
            iq: iq.to_owned(),
            pin: pin.reveal().to_owned(),
        };
        Ok(runtime.block_on(client.tell("/v1/ks/otp/activate", &asked))?)
    };
    if args.setup {
        let asked = PrepareDoc { again: args.again };
        let iqs: Vec<IqDoc> = runtime.block_on(client.tell("/v1/ks/otp/prepare", &asked))?;
        show(out, &iqs)?;
        out.finish()?;
        let asks = !args.yes && io::stdin().is_terminal();
        for iq in iqs.iter().filter(|iq| asks && iq.state == IqState::PinMailed) {
            let pin = ask::hidden(&format!("PIN that was mailed for IQ {}: ", plain(&iq.name)))?;
            told(out, &activate(&iq.id, &pin)?)?;
        }
    }
    for given in &args.pin {
        let (iq, file) = given.split_once('=').ok_or_else(|| {
            Failure::new(status::USAGE, "--pin needs IQ=FILE", "as in --pin Cellar=pin.txt")
        })?;
        let pin = pin_of(&PathBuf::from(file))?;
        told(out, &activate(iq, &pin)?)?;
    }
    Ok(status::OK)
}

fn pin_of(file: &PathBuf) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(file)
        .map(zeroize::Zeroizing::new)
        .map_err(|error| {
            let message = format!("{} cannot be read: {error}", file.display());
            Failure::new(status::FAILED, message, "it holds the PIN and nothing else")
        })?;
    Ok(Secret::new(text.trim().to_owned()))
}

fn told(out: &mut Out, done: &Done) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(done)?;
    } else {
        let message = out.paint(Tone::Good, &plain(&done.message));
        out.line(&message)?;
    }
    Ok(status::OK)
}

fn show(out: &mut Out, iqs: &[IqDoc]) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(&iqs);
    }
    let rows = iqs.iter().map(|iq| {
        let (words, tone) = match iq.state {
            IqState::NotNeeded => ("opens without a password", Tone::Good),
            IqState::Ready => ("is set up", Tone::Good),
            IqState::PinMailed => ("SALTO has mailed a PIN to the gateway's user", Tone::Watch),
            IqState::ShownBefore => (
                "was activated elsewhere: have SALTO's support reset remote opening for this user and IQ",
                Tone::Bad,
            ),
        };
        vec![plain(&iq.name).into_owned().into(), Cell(words.into(), tone)]
    });
    out.table(&["IQ", ""], rows.collect())
}
