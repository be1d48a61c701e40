//! What the fuzzer may do with an upload (`fuzz/fuzz_targets/upload.rs`).

use super::{kind, name, raster};

/// Small, so that a hang is told from a large picture.
const PIXELS_MAX: u64 = 1 << 20;

/// Recognises, names and rewrites a file as an upload does; the first byte is how long its name is.
pub fn upload(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else { return };
    let (raw, body) = rest.split_at(usize::from(*length).min(rest.len()));
    let cleaned = name::clean(&String::from_utf8_lossy(raw));
    assert!(!cleaned.contains(['/', '\0', '\n']), "{cleaned:?}");
    name::disposition(false, &cleaned);
    let Some(kind::Kind::Image(format)) = kind::detect(body, true) else { return };
    if let Ok(picture) = raster::rewrite(format, body, PIXELS_MAX, 320) {
        assert!(u64::from(picture.width) * u64::from(picture.height) <= PIXELS_MAX);
        // What is stored is what others are shown.
        assert!(matches!(kind::detect(&picture.bytes, true), Some(kind::Kind::Image(_))));
    }
}
