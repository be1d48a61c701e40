//! What every back end must do, as tests that run against any of them.
//!
//! Each seam has a module of cases and a macro that makes one `#[test]` of each case. The macro
//! takes an expression that makes the subject, evaluated once per test: for log and history a
//! closure that opens the same store again on every call, so that cases can reopen it.

pub mod bus;
pub mod directory;
pub mod history;
pub mod log;
