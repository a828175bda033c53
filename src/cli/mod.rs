//! Arguments, one file a command; tables and JSON.
