//! The gateway: everything between a client's socket and the router.
//!
//! [`edge`] is the machinery: the front door that takes connections, the WebSocket codec and the
//! loops that own the sockets. It knows no chat. The chat service stands on top of it as one
//! implementation of [`edge::Service`].

pub mod chat;
pub mod clock;
pub mod edge;
pub mod peer;
