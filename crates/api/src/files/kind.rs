//! What a file is, by its bytes: the allow list. The declared type and the name never count.

/// A kind of file that may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Decoded and encoded again before it is stored.
    Image(Raster),
    /// Stored as it came, served as an attachment only.
    Other(Plain),
}

/// Images we decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raster {
    Png,
    Jpeg,
    Gif,
    WebP,
}

/// A type that is stored as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) media_type: &'static str,
    /// The first is given where the name has none of them.
    pub(crate) extensions: &'static [&'static str],
}

/// How many bytes [`detect`] wants to see (less only at the end of the file).
pub(crate) const HEAD_BYTES: usize = 8 * 1024;

/// Types by magic bytes, as `infer` names them.
const BY_MAGIC: &[Plain] = &[
    Plain { media_type: "application/pdf", extensions: &["pdf"] },
    Plain { media_type: "application/zip", extensions: &["zip"] },
    Plain { media_type: "application/gzip", extensions: &["gz", "tgz"] },
    Plain { media_type: "application/x-7z-compressed", extensions: &["7z"] },
    Plain { media_type: "application/vnd.rar", extensions: &["rar"] },
    Plain {
        media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        extensions: &["docx"],
    },
    Plain {
        media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        extensions: &["xlsx"],
    },
    Plain {
        media_type: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        extensions: &["pptx"],
    },
    Plain { media_type: "application/vnd.oasis.opendocument.text", extensions: &["odt"] },
    Plain { media_type: "application/vnd.oasis.opendocument.spreadsheet", extensions: &["ods"] },
    Plain { media_type: "application/msword", extensions: &["doc"] },
    Plain { media_type: "application/vnd.ms-excel", extensions: &["xls"] },
    Plain { media_type: "application/vnd.ms-powerpoint", extensions: &["ppt"] },
    Plain { media_type: "audio/mpeg", extensions: &["mp3"] },
    Plain { media_type: "audio/m4a", extensions: &["m4a"] },
    Plain { media_type: "audio/ogg", extensions: &["ogg", "oga", "opus"] },
    Plain { media_type: "audio/x-wav", extensions: &["wav"] },
    Plain { media_type: "audio/amr", extensions: &["amr"] },
    Plain { media_type: "video/mp4", extensions: &["mp4", "m4v"] },
    Plain { media_type: "video/webm", extensions: &["webm"] },
    Plain { media_type: "video/quicktime", extensions: &["mov", "qt"] },
    Plain { media_type: "image/bmp", extensions: &["bmp"] },
    Plain { media_type: "image/tiff", extensions: &["tif", "tiff"] },
    Plain { media_type: "image/heif", extensions: &["heic", "heif"] },
];

const TEXT: Plain = Plain {
    media_type: "text/plain",
    extensions: &["txt", "log", "csv", "md", "json", "yml", "yaml"],
};
const SVG: Plain = Plain { media_type: "image/svg+xml", extensions: &["svg"] };

/// Types that are shown in place: only what we wrote ourselves.
const INLINE: &[Plain] = &[
    Plain { media_type: "image/png", extensions: &["png"] },
    Plain { media_type: "image/jpeg", extensions: &["jpg", "jpeg"] },
    Plain { media_type: "image/gif", extensions: &["gif"] },
];

/// Whether a stored type may be shown in place.
pub(crate) fn served_inline(media_type: &str) -> bool {
    INLINE.iter().any(|plain| plain.media_type == media_type)
}

/// The type as it goes into a header: one of the table, or bytes.
pub(crate) fn served_type(media_type: &str) -> &'static str {
    match find(media_type) {
        Some(plain) if plain == TEXT => "text/plain; charset=utf-8",
        Some(plain) => plain.media_type,
        None => "application/octet-stream",
    }
}

/// The extensions a name may have for a stored type; empty for a type not in the table.
pub(crate) fn extensions(media_type: &str) -> &'static [&'static str] {
    find(media_type).map_or(&[], |plain| plain.extensions)
}

fn find(media_type: &str) -> Option<Plain> {
    INLINE
        .iter()
        .chain(BY_MAGIC)
        .chain([&TEXT, &SVG])
        .copied()
        .find(|plain| plain.media_type == media_type)
}

/// Says what the file is by its first bytes (`whole` when there are no more); `None`: not allowed.
pub(crate) fn detect(head: &[u8], whole: bool) -> Option<Kind> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    if head.is_empty() {
        return None;
    }
    if let Some(found) = infer::get(head) {
        return match found.mime_type() {
            "image/png" => Some(Kind::Image(Raster::Png)),
            "image/jpeg" => Some(Kind::Image(Raster::Jpeg)),
            "image/gif" => Some(Kind::Image(Raster::Gif)),
            "image/webp" => Some(Kind::Image(Raster::WebP)),
            "text/xml" if is_svg(head) => Some(Kind::Other(SVG)),
            "application/zip" => by_magic(office(head).unwrap_or("application/zip")),
            other => by_magic(other),
        };
    }
    if is_svg(head) {
        return Some(Kind::Other(SVG));
    }
    is_plain_text(head, whole).then_some(Kind::Other(TEXT))
}

fn by_magic(media_type: &str) -> Option<Kind> {
    BY_MAGIC.iter().find(|plain| plain.media_type == media_type).copied().map(Kind::Other)
}

/// Documents of an office are archives. `infer` knows them by their first four entries; where the text
/// comes third and is long, it sees three. The folder of any entry in the head says what it is.
fn office(head: &[u8]) -> Option<&'static str> {
    const ENTRY: &[u8] = b"PK\x03\x04";
    const NAME_AT: usize = 30;
    let first = head.get(NAME_AT..)?;
    let begins = [&b"[Content_Types].xml"[..], b"_rels/", b"docProps/"];
    if !head.starts_with(ENTRY) || !begins.iter().any(|name| first.starts_with(name)) {
        return None;
    }
    head.windows(ENTRY.len()).enumerate().filter(|(_, four)| *four == ENTRY).find_map(|(at, _)| {
        let name = head.get(at + NAME_AT..)?;
        let kinds = [("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx")];
        let (_, extension) = kinds.iter().find(|(dir, _)| name.starts_with(dir.as_bytes()))?;
        let plain = BY_MAGIC.iter().find(|plain| plain.extensions.contains(extension))?;
        Some(plain.media_type)
    })
}

fn is_svg(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let opening =
        text.starts_with("<?xml") || text.starts_with("<!--") || text.starts_with("<!doctype svg");
    text.starts_with("<svg") || (opening && text.contains("<svg") && !text.contains("<html"))
}

/// Text without markup or a script's first line: a browser that sniffs finds nothing to run.
fn is_plain_text(head: &[u8], whole: bool) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The head may end inside a character.
        Err(error) if !whole && error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let clean = valid.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    let start = valid.trim_start_matches('\u{feff}').trim_start();
    clean && !valid.is_empty() && !start.starts_with('<') && !start.starts_with("#!")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media_type(head: &[u8]) -> Option<&'static str> {
        detect(head, true).map(|kind| match kind {
            Kind::Image(Raster::Png) => "image/png",
            Kind::Image(Raster::Jpeg) => "image/jpeg",
            Kind::Image(Raster::Gif) => "image/gif",
            Kind::Image(Raster::WebP) => "image/webp",
            Kind::Other(plain) => plain.media_type,
        })
    }

    #[test]
    fn s15_bytes_decide_what_a_file_is() {
        for (head, expected) in [
            (&b"\x89PNG\r\n\x1a\n"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"%PDF-1.7 /JavaScript", Some("application/pdf")),
            (b"PK\x03\x04 a zip", Some("application/zip")),
            (b"<svg onload=alert(1)>", Some("image/svg+xml")),
            (b"<?xml version=\"1.0\"?><svg/>", Some("image/svg+xml")),
            (b"hello, \xe4\xb8\xad\xe6\x96\x87\n", Some("text/plain")),
            (b"<!DOCTYPE html><script>alert(1)</script>", None),
            (b"  <html><body>", None),
            (b"<b>x</b>", None),
            (b"#!/bin/sh\nrm -rf /", None),
            (b"MZ\x90\0\x03", None),
            (b"\x7fELF\x02\x01\x01", None),
            (b"\0\0\0\0", None),
            (b"", None),
        ] {
            assert_eq!(media_type(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    /// The beginnings of an archive's entries, with so many bytes of content each.
    fn archive(names: &[&str], content_bytes: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for name in names {
            bytes.extend_from_slice(b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0");
            bytes.extend_from_slice(&(content_bytes as u32).to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
            bytes.extend_from_slice(name.as_bytes());
            bytes.resize(bytes.len() + content_bytes, b'x');
        }
        bytes
    }

    #[test]
    fn documents_of_an_office_are_known_however_long_their_text_is() {
        let types = "[Content_Types].xml";
        for (names, extension) in [
            (&[types, "_rels/.rels", "word/document.xml", "word/styles.xml"][..], "docx"),
            (&[types, "_rels/.rels", "xl/workbook.xml"], "xlsx"),
            (&["_rels/.rels", types, "ppt/presentation.xml"], "pptx"),
            (&[types, "docProps/app.xml", "word/document.xml"], "docx"),
            (&["letters/word/", "word/document.xml"], "zip"),
            (&["readme.txt"], "zip"),
        ] {
            for content_bytes in [0, 300, 3_000] {
                let found = media_type(&archive(names, content_bytes));
                let found = found.map(extensions).unwrap_or_default();
                assert!(found.contains(&extension), "{names:?}, {content_bytes}: {found:?}");
            }
        }
        for cut in 0..archive(&[types], 0).len() {
            // Whatever it is taken for: half a header is no reason to panic.
            assert!(office(&archive(&[types], 0)[..cut]).is_none());
        }
    }

    #[test]
    fn a_character_cut_by_the_head_is_still_text() {
        let mut head = "中".repeat(HEAD_BYTES / 3 + 1).into_bytes();
        head.truncate(HEAD_BYTES);
        assert!(detect(&head, false).is_some());
        assert!(detect(b"ok \xff\xfe", true).is_none());
    }
}
