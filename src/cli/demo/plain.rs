//! The demo in lines: what a log or a pipe gets, and the summary.

use super::scene::{Row, Scene};
use crate::cli::{
    failure::{Failure, status},
    out::{Out, Tone},
};

/// What is being started.
pub(super) const SITE: &str =
    "four doors, three OSDP readers on two lines, a wall reader on its adaptor, a cloud, a gateway";

/// What happens on stage.
pub(super) fn caption(text: &str, out: &mut Out) -> Result<(), Failure> {
    let line = out.paint(Tone::Strong, &format!("-- {text}"));
    out.line(&line)?;
    out.finish()
}

/// A tap with its answer.
pub(super) fn tap(row: &Row, out: &mut Out) -> Result<(), Failure> {
    let verdict = match row.granted {
        true => out.paint(Tone::Good, "granted"),
        false => out.paint(Tone::Bad, "refused"),
    };
    let after = row.answered_in.map_or_else(
        || "no light".to_owned(),
        |after| format!("{:.1} ms", after.as_secs_f64() * 1e3),
    );
    let cloud = if row.offline { ", cloud away" } else { "" };
    out.line(&format!(
        "{}  {:<12} {:<13} {verdict}  {} ({after}{cloud})",
        row.time, row.door, row.who, row.words
    ))?;
    out.finish()
}

/// What came of it all; the exit status.
pub(super) fn summary(scene: &Scene, out: &mut Out) -> Result<u8, Failure> {
    let complaints = scene.complaints();
    let status = if complaints.is_empty() {
        status::OK
    } else {
        status::FAILED
    };
    if out.is_json() {
        out.json(&serde_json::json!({
            "taps": scene.taps, "answered": scene.answered, "check_ins_owed": scene.owed,
            "check_ins_arrived": scene.arrived, "check_ins_doubled": scene.doubled,
            "events_on_mqtt": scene.heard, "card_to_light_median_us": u64::try_from(scene.median().as_micros()).ok(),
            "complaints": complaints,
        }))?;
        return Ok(status);
    }
    let median = scene.median().as_secs_f64() * 1e3;
    out.line("")?;
    out.line(&format!(
        "{} taps, {} answered, middle time from card to light {median:.1} ms",
        scene.taps, scene.answered
    ))?;
    out.line(&format!(
        "{} entries of members, {} check-ins arrived, {} of them twice",
        scene.owed, scene.arrived, scene.doubled
    ))?;
    match (scene.heard, &scene.no_broker) {
        (Some(heard), _) => out.line(&format!("{heard} events heard on MQTT"))?,
        (None, Some(why)) => out.line(&format!("MQTT was left out: {why}"))?,
        (None, None) => {}
    }
    for complaint in &complaints {
        let line = out.paint(Tone::Bad, complaint);
        out.line(&line)?;
    }
    if complaints.is_empty() {
        let line = "every tap was answered as it should be, every check-in arrived once";
        let line = out.paint(Tone::Good, line);
        out.line(&line)?;
    }
    Ok(status)
}
