//! SQLite: migrations, snapshot, journal, outbox, cards. One thread owns the writer. No SQL anywhere else.
