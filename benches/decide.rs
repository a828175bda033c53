//! `decide()` beside Cedar and SQLite on the same people, cards, rights and questions.
//!
//! Every call is timed by itself, less the cost of reading the clock twice (`clock/cost`). The peers are given what
//! they need in the form that suits them best: Cedar gets ready-made requests, both get the local minute of the week,
//! so neither does zone arithmetic. `decide()` does all of it. All three must agree before anything is timed.
//! Cedar is measured up to 250,000 people: beyond that its entities alone take gigabytes.

#[cfg(feature = "cedar")]
mod cedar;
mod sqlite;
mod world;

use crate::report::{Failure, Report, Samples, clock_cost, timed};
use doorward::access::{DoorIx, Index, Limits, Query};
use world::{Question, World};

const SIZES: [u32; 4] = [1_000, 100_000, 250_000, 2_000_000];
#[cfg(feature = "cedar")]
const CEDAR_UP_TO: u32 = 250_000;
const QUESTIONS: u32 = 200_000;
const QUESTIONS_TO_PEERS: usize = 20_000;
/// Questions on which all must agree.
const COMPARED: usize = 2_000;

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    report.figure("clock/cost", clock_cost() / 1_000.0, "us");
    for size in SIZES {
        at(size, report)?;
    }
    Ok(())
}

fn at(size: u32, report: &mut Report) -> Result<(), Failure> {
    let world = World::new(size);
    let questions = world.questions(QUESTIONS);
    let some = questions.get(..QUESTIONS_TO_PEERS).unwrap_or(&questions);
    let compared = questions.get(..COMPARED).unwrap_or(&questions);

    let (taken, built) = timed(|| Index::build(&world.snapshot, &world.site));
    let (index, warnings) = built?;
    if let Some(warning) = warnings.first() {
        return Err(format!("the world is wrong: {warning}").into());
    }
    report.figure(&format!("image/{size}/build"), taken.as_secs_f64() * 1e3, "ms");
    image(size, &index, report)?;

    let doors: Vec<Option<DoorIx>> = world
        .site
        .doors
        .iter()
        .map(|door| index.door(door.id.as_str()))
        .collect();
    let limits = Limits::default();
    let decide = |question: &Question| {
        index.decide(&Query {
            credential: Some(&question.card),
            door: doors.get(usize::from(question.door)).copied().flatten(),
            now: question.now(),
            lockdown: false,
            limits: &limits,
        })
    };
    let expected: Vec<bool> = compared
        .iter()
        .map(|question| decide(question).reason.grants())
        .collect();
    let samples = Samples::of(&questions, decide);
    let p50 = samples.micros_at(0.5);
    report.figure(&format!("decide/{size}/p50"), p50, "us");
    report.figure(&format!("decide/{size}/p99"), samples.micros_at(0.99), "us");

    let database = sqlite::fill(&world)?;
    let mut query = sqlite::Prepared::new(&database)?;
    agree(
        "SQLite",
        &expected,
        compared.iter().map(|question| query.opens(question)),
    )?;
    let samples = Samples::of(some, |question| query.opens(question));
    let sqlite = samples.micros_at(0.5);
    report.figure(&format!("sqlite_point/{size}/p50"), sqlite, "us");
    report.figure(&format!("decide/{size}/vs_sqlite"), sqlite / p50, "ratio");

    #[cfg(feature = "cedar")]
    if size <= CEDAR_UP_TO {
        beside_cedar(size, &world, some, &expected, p50, report)?;
    }
    Ok(())
}

/// The same questions to Cedar, who must agree before anything is timed.
#[cfg(feature = "cedar")]
fn beside_cedar(
    size: u32,
    world: &World,
    questions: &[Question],
    expected: &[bool],
    p50: f64,
    report: &mut Report,
) -> Result<(), Failure> {
    let cedar = cedar::Cedar::new(world)?;
    let requests = questions
        .iter()
        .map(|question| cedar.request(question))
        .collect::<Result<Vec<_>, _>>()?;
    let answers = requests
        .iter()
        .take(COMPARED)
        .map(|request| Ok(cedar.opens(request)));
    agree("Cedar", expected, answers)?;
    let samples = Samples::of(&requests, |request| cedar.opens(request));
    let peer = samples.micros_at(0.5);
    report.figure(&format!("cedar/{size}/p50"), peer, "us");
    report.figure(&format!("decide/{size}/vs_cedar"), peer / p50, "ratio");
    Ok(())
}

fn image(size: u32, index: &Index, report: &mut Report) -> Result<(), Failure> {
    let bytes = f64::from(u32::try_from(index.size())?);
    report.figure(
        &format!("image/{size}/bytes_per_card"),
        bytes / f64::from(size),
        "bytes",
    );
    let mut times = Vec::new();
    for _ in 0..5 {
        let image = index.to_image();
        let (taken, loaded) = timed(|| Index::from_image(image));
        loaded?;
        times.push(taken.as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    report.figure(
        &format!("image/{size}/load"),
        times.get(2).copied().unwrap_or(0.0),
        "ms",
    );
    Ok(())
}

/// All questions were answered alike.
fn agree(
    peer: &str,
    expected: &[bool],
    answers: impl Iterator<Item = Result<bool, Failure>>,
) -> Result<(), Failure> {
    let mut opened = 0;
    for (number, (expected, answer)) in expected.iter().zip(answers).enumerate() {
        let answer = answer?;
        opened += usize::from(answer);
        if *expected != answer {
            return Err(
                format!("{peer} says {answer} to question {number}, decide() says {expected}").into(),
            );
        }
    }
    if opened == 0 || opened == expected.len() {
        return Err("the questions tell nothing: all had the same answer".into());
    }
    Ok(())
}
