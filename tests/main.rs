//! Scenarios, one file each, named by what happens.

#[cfg(test)]
mod tidy;
mod journal_killed;
mod journal_outbox;
mod journal_support;
mod osdp_bus_trouble;
mod osdp_figures;
mod osdp_pypi_reader;
mod osdp_reader_answers;
mod osdp_shared_bus;
mod osdp_site;
mod cli_commands;
#[cfg(test)]
mod cli_help_pages;
#[cfg(test)]
mod cli_output;
#[cfg(test)]
mod cli_talks_to_the_gateway;
#[cfg(test)]
mod config_changes_while_running;
#[cfg(test)]
mod config_example_is_true;
#[cfg(test)]
mod config_secrets;
#[cfg(test)]
mod config_with_mistakes;
mod wradapt_line;
