//! Simulators of the site around the gateway.

pub mod cloud;
pub mod cobot;
pub mod false_clock;
#[cfg(feature = "independent")]
pub mod independent;
pub mod mosquitto;
pub mod nexudus;
pub mod office;
pub mod officernd;
pub mod osdp;
pub mod pty;
pub mod relay;
pub mod spacebring;
pub mod stubborn_broker;
pub mod wradapt;
