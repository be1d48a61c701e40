//! HTTP to places that people name: the endpoint of a language model, the pages of a help centre that are taken over.
//! Whoever may name an address could otherwise make this server talk to its own network, so:
//!
//! ```text
//! check_url   when an address is saved: scheme, port, user info, and the host where it is a literal
//! Client      when it is used: the same again, then
//!   Resolve     the name becomes addresses
//!   Guard       each address is checked, and only
//!   dial        an address that was checked is connected to, so a name cannot change in between
//! ```
//!
//! Nothing follows a redirect, and everything that is waited for or read has a limit. No other part of the product
//! talks to an address that a person named in a way of its own.

mod address;
mod body;
mod client;
mod config;
mod dial;
mod error;
mod guard;
mod text;

pub use body::Body;
pub use client::{Client, Request, Response, Timeouts};
pub use config::OutgoingConfig;
pub use dial::{Resolve, Resolving, SystemResolver};
pub use error::{Error, Phase};
pub use guard::{Guard, Refused, URL_BYTES_MAX};
pub use text::Text;
