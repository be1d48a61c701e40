//! Server-sent events as bytes come in: lines end with LF, CR or both, comments are skipped, and the `data` lines of an
//! event are put together. What is inside is somebody else's.

/// The longest event. One carries a few characters of an answer.
const EVENT_BYTES_MAX: usize = 64 << 10;
const MARK: &[u8] = b"\xef\xbb\xbf";

/// An event beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    /// The last byte was CR: a LF now belongs to it.
    after_cr: bool,
    begun: bool,
}

impl Events {
    /// Takes the next bytes and gives the data of the events that they end.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let ends_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if ends_cr => {}
                b'\n' | b'\r' => events.extend(self.end_line()?),
                _ if self.line.len() >= EVENT_BYTES_MAX => return Err(TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(events)
    }

    /// The event that the end of the stream ends. The standard drops it; servers rely on it not to be.
    pub(crate) fn finish(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let ended = self.end_line()?;
        Ok(ended.or_else(|| self.data.take()))
    }

    fn end_line(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let line = std::mem::take(&mut self.line);
        let first = !std::mem::replace(&mut self.begun, true);
        let line = if first { line.strip_prefix(MARK).unwrap_or(&line) } else { &line };
        if line.is_empty() {
            return Ok(self.data.take());
        }
        let Some(value) = line.strip_prefix(b"data") else { return Ok(None) };
        let value = match value {
            [] => value,
            [b':', b' ', value @ ..] | [b':', value @ ..] => value,
            // Another field, whose name only begins like this.
            _ => return Ok(None),
        };
        match &mut self.data {
            Some(data) if data.len() + value.len() >= EVENT_BYTES_MAX => return Err(TooLong),
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
            none => *none = Some(value.to_vec()),
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for chunk in chunks {
            found.extend(events.feed(chunk).expect("short"));
        }
        found.extend(events.finish().expect("short"));
        found.into_iter().map(|data| String::from_utf8(data).expect("UTF-8")).collect()
    }

    #[test]
    fn events_are_read_whatever_ends_their_lines() {
        for (stream, expected) in [
            ("data: a\n\ndata: b\n\n", &["a", "b"][..]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            ("data:a\n\n", &["a"]),
            ("data:  a\n\n", &[" a"]),
            ("data: a\ndata: b\n\n", &["a\nb"]),
            ("data\n\n", &[""]),
            (": ping\n\n: ping\n\ndata: a\n\n", &["a"]),
            ("event: message\nid: 7\nretry: 5\ndata: a\n\n", &["a"]),
            ("database: x\n\ndata: a\n\n", &["a"]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("data: a\n\ndata: [DONE]", &["a", "[DONE]"]),
            ("\n\n\n", &[]),
            ("", &[]),
        ] {
            assert_eq!(read(&[stream.as_bytes()]), expected, "{stream:?}");
        }
    }

    #[test]
    fn chunks_may_end_anywhere() {
        let stream =
            "\u{feff}: c\r\ndata: 退货😀\r\ndata: é\r\n\r\ndata: [DONE]\r\n\r\n".as_bytes();
        for size in 1..stream.len() {
            let chunks: Vec<&[u8]> = stream.chunks(size).collect();
            assert_eq!(read(&chunks), ["退货😀\né", "[DONE]"], "chunks of {size}");
        }
    }

    #[test]
    fn an_event_without_end_is_not_kept() {
        let mut events = Events::default();
        events.feed(&vec![b'a'; EVENT_BYTES_MAX]).expect("just short enough");
        assert_eq!(events.feed(b"a"), Err(TooLong));
        let mut events = Events::default();
        let lines = b"data: 0123456789\n".repeat(EVENT_BYTES_MAX / 10);
        assert_eq!(events.feed(&lines), Err(TooLong));
    }
}
