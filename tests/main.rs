//! Scenarios, one file each, named by what happens.

#[cfg(test)]
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
