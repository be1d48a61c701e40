//! Bytes from a socket, in reads of any size: the WebSocket parser comes to the same messages.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| frontdesk_gateway::edge::fuzzing::websocket(bytes));
