//! When to pull, hints, budgets, staleness, snapshot swap, check-in delivery.
