//! The pure decision: index, schedule arithmetic, decide, reasons. No IO, no clock, no allocation per decision.
