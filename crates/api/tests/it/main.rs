//! The HTTP API over a real socket: the front door, a real catalog and file store in a temporary
//! directory, and conversations in memory where the chat engine is not what is tested.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod files;
mod guard;
mod invite;
mod openapi;
mod pages;
mod people;
mod problems;
mod support;
mod tickets;
