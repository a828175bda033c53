//! Assembly of `doorward run`: threads, tasks, reload, shutdown.

pub mod control;
