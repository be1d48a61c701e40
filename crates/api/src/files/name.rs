//! Names of files: what people may read, and how a name goes into a header (RFC 5987/6266).

/// Longest kept name in bytes.
const NAME_BYTES_MAX: usize = frontdesk_core::limits::FILE_NAME_BYTES_MAX;

/// Makes a name safe to show and to store: no path, no control, format or direction characters,
/// nothing a file system or a shell takes amiss, bounded, never empty.
pub(crate) fn clean(raw: &str) -> String {
    let base = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = base.chars().filter(|c| !is_unwanted(*c)).collect();
    let mut name = kept.trim_matches(|c: char| c == '.' || c.is_whitespace()).to_owned();
    if name.len() > NAME_BYTES_MAX {
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if extension.len() <= 16 => (stem, format!(".{extension}")),
            _ => (name.as_str(), String::new()),
        };
        let mut end = NAME_BYTES_MAX - extension.len();
        while !stem.is_char_boundary(end) {
            end -= 1;
        }
        name = format!("{}{extension}", &stem[..end]);
    }
    if name.is_empty() { "file".to_owned() } else { name }
}

/// Gives the name the extension of what the bytes turned out to be, where it says something else.
pub(crate) fn with_extension(name: &str, accepted: &[&str]) -> String {
    let Some(first) = accepted.first() else { return name.to_owned() };
    match name.rsplit_once('.') {
        Some((_, extension)) if accepted.iter().any(|a| a.eq_ignore_ascii_case(extension)) => {
            name.to_owned()
        }
        Some((stem, extension)) if !stem.is_empty() && is_extension(extension) => {
            format!("{stem}.{first}")
        }
        _ => format!("{name}.{first}"),
    }
}

/// Writes a `Content-Disposition` value with an ASCII fallback and the real name beside it.
pub(crate) fn disposition(inline: bool, name: &str) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    let fallback: String =
        name.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') {
                    c
                } else {
                    '_'
                }
            })
            .collect();
    let mut encoded = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(byte as char);
        } else {
            encoded.push('%');
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
    }
    format!("{kind}; filename=\"{fallback}\"; filename*=UTF-8''{encoded}")
}

fn is_extension(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\0'
            // Soft hyphen, Arabic letter mark, Mongolian separator.
            | '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Zero width characters and direction marks, overrides and isolates.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}'
            // Byte order mark, interlinear notes, tags.
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_could_mislead() {
        for (raw, expected) in [
            ("photo.png", "photo.png"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie x=1.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("  .hidden. ", "hidden"),
            ("..", "file"),
            ("", "file"),
            ("\0", "file"),
            ("发票 2026.pdf", "发票 2026.pdf"),
        ] {
            assert_eq!(clean(raw), expected, "{raw:?}");
        }
        let long = format!("{}.pdf", "长".repeat(300));
        let short = clean(&long);
        assert!(short.len() <= NAME_BYTES_MAX && short.ends_with("长.pdf"), "{short}");
    }

    #[test]
    fn the_extension_follows_the_bytes() {
        assert_eq!(with_extension("a.jpeg", &["jpg", "jpeg"]), "a.jpeg");
        assert_eq!(with_extension("a.webp", &["jpg", "jpeg"]), "a.jpg");
        assert_eq!(with_extension("a", &["png"]), "a.png");
        assert_eq!(with_extension("page.html", &["png"]), "page.png");
    }

    #[test]
    fn a_disposition_is_one_header_line() {
        assert_eq!(
            disposition(false, "发\"票.pdf"),
            "attachment; filename=\"___.pdf\"; filename*=UTF-8''%E5%8F%91%22%E7%A5%A8.pdf"
        );
    }
}
