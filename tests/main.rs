//! Scenarios, one file each, named by what happens.

#[cfg(test)]
mod mqtt_broker_killed;
#[cfg(test)]
mod mqtt_contract;
#[cfg(test)]
mod mqtt_events_and_health;
#[cfg(test)]
mod mqtt_refused_and_unreachable;
#[cfg(test)]
mod mqtt_site;
#[cfg(test)]
mod mqtt_wedged;
