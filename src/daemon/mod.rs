//! Assembly of `doorward run`: threads, tasks, reload, shutdown.
