//! The client of a language model against a real endpoint on this machine, and against all that can go wrong with one.

mod answers;
mod failures;
mod fixture;
mod keys;
mod limits;
