//! Simulators of the site around the gateway.
