//! What the fuzzer may do with the parser (`fuzz/fuzz_targets/websocket.rs`).

use super::{Parser, Step};
use crate::edge::EdgeLimits;

/// Parses a stream in reads of the size its first byte says, and at once: both give the same.
pub fn websocket(bytes: &[u8]) {
    let Some((size, stream)) = bytes.split_first() else { return };
    let size = usize::from(*size).max(1);
    assert_eq!(parse(stream.chunks(size)), parse(std::iter::once(stream)));
}

fn parse<'a>(reads: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let limits = EdgeLimits::default();
    let mut parser = Parser::default();
    let mut got = Vec::new();
    for read in reads {
        let mut read = read.to_vec();
        let mut input = &mut read[..];
        while !input.is_empty() {
            match parser.step(input, &limits, limits.message_bytes_max) {
                Ok((step, rest)) => {
                    if !matches!(step, Step::NeedMore | Step::Progress) {
                        got.push(format!("{step:?}"));
                    }
                    input = rest;
                }
                Err(violation) => {
                    got.push(format!("{violation:?}"));
                    return got;
                }
            }
        }
    }
    got
}
