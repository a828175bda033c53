//! Simulators of the site around the gateway.

pub mod cloud;
#[cfg(feature = "platforms")]
pub mod cobot;
pub mod contrary;
pub mod crowd;
pub mod false_clock;
#[cfg(feature = "platforms")]
mod half;
#[cfg(feature = "independent")]
pub mod independent;
#[cfg(feature = "platforms")]
pub mod ks;
pub mod mosquitto;
#[cfg(feature = "platforms")]
pub mod nexudus;
pub mod office;
#[cfg(feature = "platforms")]
pub mod officernd;
pub mod osdp;
pub mod pn532;
pub mod pty;
pub mod relay;
#[cfg(feature = "platforms")]
pub mod spacebring;
pub mod stubborn_broker;
pub mod vpcd;
pub mod wradapt;
