//! The security bar over the real server: tests are named after the ids of the threats they hold.
//!
//! [`world`] builds two tenants with every kind of caller; [`line`] speaks frames one by one. The
//! modules: doors (who may connect), identity (S3), people (passwords, logins), rights (the matrix of S10), tenants
//! (S11), files (S15, S16), garbage (S27, S29 and what must never be logged).

mod doors;
mod files;
mod garbage;
mod identity;
mod line;
mod people;
mod rights;
mod tenants;
mod world;
