//! Simulators of the site around the gateway.

pub mod osdp;
pub mod pty;
pub mod mosquitto;
pub mod relay;
pub mod stubborn_broker;
pub mod wradapt;
