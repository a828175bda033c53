//! Scenarios, one file each, named by what happens.
