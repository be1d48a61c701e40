//! The client against real sockets: a server on this machine that answers as the test says, and a resolver that lies.

mod client;
mod fixture;
mod guard;
