//! One folder an adapter: contract, file. Facts in, check-ins out; no rule decisions.
