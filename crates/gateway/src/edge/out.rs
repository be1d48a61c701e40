//! The out-queue of a connection: frames waiting to be written, kept only while there are any.
//!
//! Small payloads are copied behind their header into one run of bytes, so that everything queued
//! in a turn leaves in one write; big ones are shared between all their receivers and written by
//! `writev`. Lengths of frames are kept, so that a slow reader's queue can be cut at a frame border
//! and still end in a valid close frame.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
};

use bytes::Bytes;

use super::ws::{Opcode, encode_header};

/// Payloads up to this are copied: cheaper than one more slice per frame in `writev`.
const COPY_MAX: usize = 1024;
/// A run is closed at this size, so that its memory goes as it drains.
const RUN_MAX: usize = 64 * 1024;
/// Slices given to one `writev`.
const SLICES_MAX: usize = 32;
/// An emptied queue whose run is no bigger than this is worth keeping in the pool.
const POOLED_RUN_MAX: usize = 16 * 1024;
/// Queues the pool keeps.
const POOL_MAX: usize = 1024;

#[derive(Debug)]
enum Segment {
    Run(Vec<u8>),
    Shared(Bytes),
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Run(run) => run,
            Self::Shared(bytes) => bytes,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct OutQueue {
    segments: VecDeque<Segment>,
    /// Bytes of the first segment that are written.
    written: usize,
    /// Length of each frame not wholly written.
    frames: VecDeque<u32>,
    /// Bytes of the first frame that are written.
    frame_written: usize,
    /// All bytes not written.
    len: usize,
}

impl OutQueue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that wait beside the longest frame, wherever it stands. Up to `enough` in all nobody asks
    /// which that is.
    pub(super) fn len_beside_longest(&self, enough: usize) -> usize {
        if self.len <= enough {
            return self.len;
        }
        let first = self.frames.front().map_or(0, |&len| len as usize - self.frame_written);
        let others = self.frames.iter().skip(1).map(|&len| len as usize);
        self.len - others.fold(first, usize::max)
    }

    /// Queues a frame whose payload is copied.
    pub(super) fn push_copy(&mut self, opcode: Opcode, payload: &[u8]) {
        let (header, header_len) = encode_header(opcode, payload.len());
        let run = self.run();
        run.extend_from_slice(&header[..header_len]);
        run.extend_from_slice(payload);
        self.account(header_len + payload.len());
    }

    /// Queues a frame whose payload of so many bytes is written where it goes out from.
    pub(super) fn push_with(
        &mut self,
        opcode: Opcode,
        bytes: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let (header, header_len) = encode_header(opcode, bytes);
        let run = self.run();
        run.reserve(header_len + bytes);
        run.extend_from_slice(&header[..header_len]);
        let start = run.len();
        write(run);
        assert_eq!(run.len() - start, bytes, "the header has told the length");
        self.account(header_len + bytes);
    }

    /// Queues a frame whose payload is shared if it is big.
    pub(super) fn push_shared(&mut self, opcode: Opcode, payload: &Bytes) {
        if payload.len() <= COPY_MAX {
            return self.push_copy(opcode, payload);
        }
        let (header, header_len) = encode_header(opcode, payload.len());
        self.run().extend_from_slice(&header[..header_len]);
        self.segments.push_back(Segment::Shared(payload.clone()));
        self.account(header_len + payload.len());
    }

    /// Queues frames that are whole already, as one.
    pub(super) fn push_frames(&mut self, frames: &Bytes) {
        if frames.len() <= COPY_MAX {
            self.run().extend_from_slice(frames);
        } else {
            self.segments.push_back(Segment::Shared(frames.clone()));
        }
        self.account(frames.len());
    }

    /// Drops every frame of which nothing is written.
    pub(super) fn cut(&mut self) {
        let keep = match self.frames.front() {
            Some(&len) if self.frame_written > 0 => {
                self.frames.truncate(1);
                len as usize - self.frame_written
            }
            _ => {
                self.frames.clear();
                0
            }
        };
        let mut left = self.written + keep;
        self.segments.retain_mut(|segment| {
            let len = segment.bytes().len();
            let kept = left.min(len);
            left -= kept;
            match segment {
                Segment::Run(run) => run.truncate(kept),
                Segment::Shared(bytes) => bytes.truncate(kept),
            }
            kept > 0
        });
        if self.segments.is_empty() {
            self.written = 0;
        }
        self.len = keep;
    }

    /// Calls `write` with what is waiting and drops what it took. Returns the bytes written.
    pub(super) fn write_with(
        &mut self,
        write: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        for segment in self.segments.iter().take(SLICES_MAX) {
            let skip = if count == 0 { self.written } else { 0 };
            slices[count] = IoSlice::new(&segment.bytes()[skip..]);
            count += 1;
        }
        let n = write(&slices[..count])?;
        self.advance(n);
        Ok(n)
    }

    fn advance(&mut self, n: usize) {
        self.len -= n;
        let mut left = n;
        while let Some(front) = self.segments.front() {
            let here = front.bytes().len() - self.written;
            if left < here {
                self.written += left;
                break;
            }
            left -= here;
            self.written = 0;
            if self.segments.len() == 1
                && let Some(Segment::Run(run)) = self.segments.front_mut()
            {
                // The only run is kept for what comes next.
                run.clear();
                break;
            }
            self.segments.pop_front();
        }
        self.frame_written += n;
        while let Some(&frame) = self.frames.front() {
            if self.frame_written < frame as usize {
                break;
            }
            self.frame_written -= frame as usize;
            self.frames.pop_front();
        }
    }

    fn account(&mut self, bytes: usize) {
        self.len += bytes;
        self.frames.push_back(bytes as u32);
    }

    fn run(&mut self) -> &mut Vec<u8> {
        let open = matches!(self.segments.back(), Some(Segment::Run(run)) if run.len() < RUN_MAX);
        if !open {
            self.segments.push_back(Segment::Run(Vec::new()));
        }
        match self.segments.back_mut() {
            Some(Segment::Run(run)) => run,
            _ => unreachable!("the last segment was made a run above"),
        }
    }
}

/// Emptied out-queues, kept for the next connection that has something to send.
#[derive(Debug, Default)]
#[expect(
    clippy::vec_box,
    reason = "connections hold a queue by one pointer; the box is pooled too"
)]
pub(super) struct OutPool(Vec<Box<OutQueue>>);

impl OutPool {
    #[expect(clippy::unnecessary_box_returns, reason = "the box is what is pooled")]
    pub(super) fn take(&mut self) -> Box<OutQueue> {
        self.0.pop().unwrap_or_default()
    }

    pub(super) fn put(&mut self, queue: Box<OutQueue>) {
        let small = match queue.segments.front() {
            None => true,
            Some(Segment::Run(run)) => run.capacity() <= POOLED_RUN_MAX,
            Some(Segment::Shared(_)) => false,
        };
        if queue.is_empty() && small && queue.frames.capacity() <= 4096 && self.0.len() < POOL_MAX {
            self.0.push(queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut OutQueue, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while !queue.is_empty() {
            let n = queue
                .write_with(|slices| {
                    let before = all.len();
                    all.extend(slices.iter().flat_map(|slice| slice.iter()).take(step));
                    Ok(all.len() - before)
                })
                .unwrap();
            assert!(n > 0);
        }
        all
    }

    fn filled() -> OutQueue {
        let mut queue = OutQueue::default();
        queue.push_copy(Opcode::Text, b"abc");
        queue.push_shared(Opcode::Binary, &Bytes::from(vec![7; 3000]));
        queue.push_shared(Opcode::Binary, &Bytes::from(vec![8; 70_000]));
        queue.push_copy(Opcode::Text, b"end");
        queue
    }

    #[test]
    fn any_size_of_write_gives_the_same_bytes() {
        let whole = drain(&mut filled(), usize::MAX);
        assert_eq!(whole.len(), 5 + 3004 + 70_010 + 5);
        for step in [1, 2, 7, 1000, 4096] {
            assert_eq!(drain(&mut filled(), step), whole);
        }
    }

    #[test]
    fn a_cut_keeps_the_begun_frame_only() {
        for written in [0, 1, 4, 5, 6, 3000, 3008, 3009, 3010, 50_000] {
            let whole = drain(&mut filled(), usize::MAX);
            let mut queue = filled();
            let mut got = Vec::new();
            while got.len() < written {
                let left = written - got.len();
                queue
                    .write_with(|slices| {
                        let n = slices[0].len().min(left);
                        got.extend_from_slice(&slices[0][..n]);
                        Ok(n)
                    })
                    .unwrap();
            }
            queue.cut();
            queue.push_copy(Opcode::Close, b"xx");
            got.extend(drain(&mut queue, 999));
            let border = [0, 5, 3009, 73_019].into_iter().find(|b| *b >= written).unwrap();
            assert_eq!(got[..border], whole[..border], "written {written}");
            assert_eq!(got[border..], [0x88, 2, b'x', b'x'], "written {written}");
        }
    }

    #[test]
    fn one_long_frame_does_not_count_wherever_it_stands() {
        let mut queue = OutQueue::default();
        assert_eq!(queue.len_beside_longest(0), 0);
        queue.push_copy(Opcode::Text, b"abc");
        queue.push_shared(Opcode::Binary, &Bytes::from(vec![7; 70_000]));
        queue.push_copy(Opcode::Text, b"abc");
        assert_eq!(queue.len_beside_longest(0), 10);
        assert_eq!(queue.len_beside_longest(70_020), 70_020, "short enough in all");
        // Of what is written in part only the rest can wait.
        queue.write_with(|_| Ok(5)).unwrap();
        assert_eq!(queue.len_beside_longest(0), 5);
        queue.write_with(|_| Ok(70_000)).unwrap();
        assert_eq!(queue.len_beside_longest(0), 5, "ten bytes of the long one and the short one");
        queue.write_with(|_| Ok(10)).unwrap();
        assert_eq!((queue.len(), queue.len_beside_longest(0)), (5, 0));
    }

    #[test]
    fn an_emptied_queue_is_used_again() {
        let mut pool = OutPool::default();
        let mut queue = pool.take();
        queue.push_copy(Opcode::Text, b"abc");
        drain(&mut queue, 2);
        pool.put(queue);
        let mut queue = pool.take();
        queue.push_copy(Opcode::Text, b"de");
        assert_eq!(drain(&mut queue, usize::MAX), [0x81, 2, b'd', b'e']);
    }
}
