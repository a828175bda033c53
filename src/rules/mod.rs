//! Facts and a profile in, grants out. Pure; no platform names.
