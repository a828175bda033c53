//! Simulators of the site around the gateway.

pub mod mosquitto;
#[cfg(feature = "independent")]
pub mod independent;
pub mod osdp;
pub mod pty;
pub mod relay;
pub mod stubborn_broker;
pub mod wradapt;
pub mod cloud;
