//! The reference cloud as a program, for scripts: prints its address and token, and runs until its input ends.
//!
//! `reference-cloud [WORLD.json]`: what the cloud knows, as `GET /v1/facts` spells it under `facts`.

use doorward_peers::cloud::{Cloud, Options, Pass, World};
use std::{
    error::Error,
    io::{self, Read, Write},
};

fn main() -> Result<(), Box<dyn Error>> {
    let world = match std::env::args_os().nth(1) {
        Some(path) => serde_json::from_slice(&std::fs::read(path)?)?,
        None => sample(),
    };
    let cloud = Cloud::start(Options {
        world,
        ..Options::default()
    })?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}\n{}", cloud.url(), cloud.token())?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A few people, so that every request has something to find.
fn sample() -> World {
    let mut world = World::default();
    world.member("p1", "Ada Ardley", "uid:04A2B3C4D5E680", "Flex");
    world.member("p2", "Bob Bartley", "uid:04112233445566", "Day");
    world.passes.push(Pass {
        id: "pass-1".into(),
        kind: "Day pass".into(),
        person: Some("p2".into()),
        left: Some(5),
        ..Pass::default()
    });
    world
}
