//! Scenarios, one file each, named by what happens.

#[cfg(test)]
mod config_example_is_true;
#[cfg(test)]
mod config_secrets;
#[cfg(test)]
mod config_with_mistakes;
