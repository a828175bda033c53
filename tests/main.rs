//! Scenarios, one file each, named by what happens.
mod contract_adapter;
mod facts_file;
