//! The same facts from a TOML file or a folder of CSV files.
