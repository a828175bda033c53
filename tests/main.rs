//! Scenarios, one file each, named by what happens.

mod osdp_bus_trouble;
mod osdp_reader_answers;
mod osdp_site;
