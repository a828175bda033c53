//! Scenarios, one file each, named by what happens.

#[cfg(test)]
mod tidy;
