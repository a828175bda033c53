//! Scenarios, one file each, named by what happens.

mod osdp_bus_trouble;
mod osdp_figures;
mod osdp_independent_reader;
mod osdp_pypi_reader;
mod osdp_reader_answers;
mod osdp_shared_bus;
mod osdp_site;
mod wradapt_line;
