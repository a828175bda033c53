//! SALTO KS: the real daemon, the reference cloud, and the simulator, whose API answers after 100 ms where that is said.

use crate::{
    report::{Failure, Report, Samples, now, timed},
    site::{Gateway, pause, wait},
};
use doorward_peers::{
    cloud::{Cloud, Options, World},
    false_clock::FalseClock,
    ks::{Faults, Ks},
};
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;

const GROUPS: usize = 12;
const DOORS: usize = 6;
/// What an answer of the API takes where that counts.
const ANSWER: Duration = Duration::from_millis(100);
const FIRST: usize = 300;
const STEADY: usize = 1_000;
/// Comparisons that are counted, a minute apart: the site is read again in one of them.
const COMPARISONS: usize = 20;
const ENTRIES: usize = 50;
const PAST: usize = 10_000;
/// Entries of a page at KS, as the simulator has it.
const PAGE: f64 = 100.0;

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    first_plan(report)?;
    steady(report)?;
    check_ins(report)?;
    past(report)
}

struct Site {
    gateway: Gateway,
    cloud: Cloud,
    ks: Ks,
    _secrets: TempDir,
}

fn tag(number: usize) -> String {
    format!("{:08}", 2_000_000 + number)
}

/// Members with a tag each, on twelve plans that are groups of up to three doors.
fn world(people: usize, ks: &Ks) -> World {
    let mut world = World::default();
    for number in 0..people {
        let plan = format!("Plan {}", number % GROUPS);
        let card = format!("ks:{}", tag(number));
        ks.add_tag(&tag(number));
        world.member(
            &format!("m{number:05}"),
            &format!("Member No{number:05}"),
            &card,
            &plan,
        );
    }
    world
}

fn config(cloud: &Cloud, section: &str, more: &str) -> String {
    let lines = |each: &dyn Fn(usize) -> String, count: usize| (0..count).map(each).collect::<String>();
    let plans = lines(&|plan| format!("\"Plan {plan}\" = [\"group-{plan}\"]\n"), GROUPS);
    let groups = lines(
        &|group| {
            let doors: Vec<String> = (0..=group % 3)
                .map(|next| format!("\"door-{}\"", (group + next) % DOORS))
                .collect();
            format!(
                "[[group]]\nid = \"group-{group}\"\ndoors = [{}]\n",
                doors.join(", ")
            )
        },
        GROUPS,
    );
    let doors = lines(
        &|door| format!("[[door]]\nid = \"door-{door}\"\nks_lock = \"Door {door}\"\n"),
        DOORS,
    );
    format!(
        "[site]\nid = \"bench\"\nzone = \"Europe/Madrid\"\n[paths]\nstate = \"{{dir}}/state\"\nruntime = \"{{run}}\"\n\
         [clock]\nrtc = true\n[cloud]\nkind = \"contract\"\nurl = \"{}\"\ntoken = {{ file = \"{{dir}}/token\" }}\n\
         [sync]\npoll_seconds = 3600\n{section}{more}\n[checkins]\n[map.plans]\n{plans}{groups}{doors}",
        cloud.url()
    )
}

impl Site {
    /// With so many members; `more`: lines of `[ks]`. Not started.
    fn new(people: usize, more: &str) -> Result<Self, Failure> {
        let ks = Ks::start()?;
        for door in 0..DOORS {
            ks.add_lock(&format!("Door {door}"));
        }
        ks.set_seats(u32::try_from(people)? + 100);
        let cloud = Cloud::start(Options {
            world: world(people, &ks),
            ..Options::default()
        })?;
        let secrets = tempfile::tempdir()?;
        let section = ks.ks_section(secrets.path())?;
        Ok(Self {
            gateway: Gateway::new(&config(&cloud, &section, more))?,
            cloud,
            ks,
            _secrets: secrets,
        })
    }

    fn slow(&self, answer: Option<Duration>) {
        self.ks.faults(Faults {
            answer_delay: answer,
            ..Faults::default()
        });
    }

    /// Starts, and waits until a plan can be made.
    fn start(&mut self) -> Result<(), Failure> {
        self.gateway.start()?;
        wait("a first comparison", || {
            let ks = self.gateway.told("/sections/ks")?;
            Ok(ks.is_some_and(|ks| ks.get("compared").is_some_and(Value::is_i64)))
        })
    }

    /// Accepts the plan and waits for its end. Seconds.
    fn apply(&self) -> Result<f64, Failure> {
        let (taken, done) = timed(|| self.gateway.order(&["ks", "apply", "--yes"]));
        if !done? {
            return Err(format!("the plan was not carried out: {}", self.gateway.log()).into());
        }
        Ok(taken.as_secs_f64())
    }

    fn ks(&self, place: &str) -> Result<Option<Value>, Failure> {
        self.gateway.told(&format!("/sections/ks/{place}"))
    }

    /// Waits until the stream stands and the past is known.
    fn hears(&self) -> Result<(), Failure> {
        wait("the stream", || {
            let entries = self.gateway.told("/sections/ks_entries")?.unwrap_or_default();
            let is = |name: &str, value: bool| entries.get(name) == Some(&Value::Bool(value));
            let complete = entries.get("complete_until").is_some_and(Value::is_i64);
            Ok(is("connected", true) && is("asking", false) && complete)
        })
    }
}

/// 300 people and 12 groups from nothing, as the gateway does it and one request after the other.
fn first_plan(report: &mut Report) -> Result<(), Failure> {
    let mut taken = Vec::new();
    for (name, more) in [("", ""), ("/one_by_one", "at_once = 1")] {
        let mut site = Site::new(FIRST, more)?;
        site.start()?;
        site.slow(Some(ANSWER));
        let seconds = site.apply()?;
        report.figure(&format!("ks/plan/{FIRST}{name}"), seconds, "s");
        if site.ks.users().iter().filter(|user| !user.suspended).count() < FIRST {
            return Err("not everybody was made".into());
        }
        taken.push(seconds);
        site.gateway.stop()?;
    }
    if let [ours, other] = taken.as_slice() {
        report.figure(&format!("ks/plan/{FIRST}/vs_one_by_one"), other / ours, "ratio");
    }
    Ok(())
}

/// Requests of a comparison with 1,000 people in step, and of one that reads everything.
fn steady(report: &mut Report) -> Result<(), Failure> {
    let mut site = Site::new(STEADY, "reconcile_seconds = 60")?;
    let folder = tempfile::tempdir()?;
    let clock = FalseClock::build(folder.path())?;
    site.gateway.environment(clock.environment());
    site.start()?;
    site.apply()?;
    let (mut most, mut all) = (0_u64, 0);
    for comparison in 0..=COMPARISONS {
        let before = site.ks("compared")?;
        clock.pass(60)?;
        site.ks.advance(Duration::from_secs(60));
        wait("a comparison", || Ok(site.ks("compared")? != before))?;
        let requests = site.ks("requests")?.and_then(|count| count.as_u64()).unwrap_or(0);
        // The first one after a plan may still read what was made.
        if comparison > 0 {
            most = most.max(requests);
        }
    }
    if site.ks("drift")? != Some(serde_json::json!({})) {
        return Err("it is not in step".into());
    }
    // What whoever keeps nothing in mind pays for a look: users, groups, and three questions a group.
    site.ks.forget_asked();
    site.gateway.order(&["ks", "plan"])?;
    for asked in site.ks.asked() {
        all += u32::from(asked.host == "api" && !asked.path.ends_with("/entries"));
    }
    #[expect(clippy::cast_precision_loss, reason = "some requests")]
    report.figure(&format!("ks/steady/{STEADY}/max"), most as f64, "requests");
    report.figure(&format!("ks/steady/{STEADY}/everything"), all.into(), "requests");
    report.figure(
        &format!("rss_ks/{STEADY}"),
        site.gateway.megabytes("VmRSS")?,
        "MB",
    );
    site.gateway.stop()
}

/// From a lock to the check-in, beside a plain client of the same stream.
fn check_ins(report: &mut Report) -> Result<(), Failure> {
    let mut site = Site::new(20, "")?;
    site.start()?;
    site.apply()?;
    site.hears()?;
    let ear = site.ks.ear()?;
    let (mut pushed, mut posted) = (Vec::new(), Vec::new());
    for number in 0..ENTRIES {
        pause(Duration::from_millis(50));
        let before = now();
        site.ks
            .open_lock_with_tag("Door 0", &tag(12 * (number % 2)), site.ks.now());
        ear.next(Duration::from_secs(10)).ok_or("the stream is silent")?;
        pushed.push(before.elapsed());
        wait("the check-in", || Ok(site.cloud.check_ins().len() > number))?;
        posted.push(before.elapsed());
    }
    let (pushed, posted) = (Samples::from(pushed), Samples::from(posted));
    for (name, samples) in [("push", &pushed), ("check_in", &posted)] {
        report.figure(&format!("ks/{name}/p50"), samples.millis_at(0.5), "ms");
        report.figure(&format!("ks/{name}/max"), samples.millis_at(1.0), "ms");
    }
    site.gateway.stop()
}

/// 10,000 entries that happened while the gateway was away.
fn past(report: &mut Report) -> Result<(), Failure> {
    let mut site = Site::new(20, "")?;
    site.start()?;
    site.apply()?;
    site.hears()?;
    site.gateway.stop()?;
    for number in 0..PAST {
        let ago = i64::try_from(number % 7_200)? * 1_000;
        let at = site.ks.now() - ago;
        site.ks.add_entry("Door 0", at, |entry| {
            entry.by = Some("tag".into());
            entry.by_detail = Some(tag(12 * (number % 2)));
        });
    }
    site.slow(Some(ANSWER));
    let before = site.gateway.start()?;
    wait("the past", || {
        let entries = site.gateway.told("/sections/ks_entries")?.unwrap_or_default();
        let asked = entries.get("asked").and_then(Value::as_u64).unwrap_or(0);
        Ok(asked >= PAST as u64 && entries.get("asking") == Some(&Value::Bool(false)))
    })?;
    let taken = before.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "ten thousand")]
    let floor = PAST as f64 / PAGE * ANSWER.as_secs_f64();
    report.figure(&format!("ks/past/{PAST}"), taken, "s");
    report.figure(&format!("ks/past/{PAST}/answers_alone"), floor, "s");
    report.figure(
        &format!("ks/past/{PAST}/vs_answers_alone"),
        taken / floor,
        "ratio",
    );
    site.gateway.stop()?;
    let mut sources: Vec<String> = site
        .gateway
        .granted()?
        .into_iter()
        .filter_map(|event| event.body.source)
        .collect();
    let all = sources.len();
    sources.sort();
    sources.dedup();
    if sources.len() < PAST {
        return Err(format!("{} of {PAST} entries are in the journal", sources.len()).into());
    }
    let doubled = u32::try_from(all - sources.len())?;
    report.figure(&format!("ks/past/{PAST}/doubled"), doubled.into(), "events");
    Ok(())
}
