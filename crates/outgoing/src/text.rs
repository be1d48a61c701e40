//! A page as text. Its charset is the one that its header names, else UTF-8 where that fits, else the one that its
//! own first lines name; a mark at its beginning goes before all of them.

use encoding_rs::Encoding;
use http::{HeaderMap, header::CONTENT_TYPE};

use crate::Error;

/// Where a page says its charset, if it does: browsers look no further.
const DECLARATION_BYTES: usize = 1_024;

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The media type without its parameters, in lower case; empty where the host names none.
    pub media_type: String,
    /// The page.
    pub text: String,
}

/// Reads the bytes as the header says.
pub(crate) fn decode(headers: &HeaderMap, bytes: &[u8]) -> Result<Text, Error> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let named = parts.find_map(charset);
    let text = match named {
        Some(label) => read(label.as_bytes(), bytes),
        None => read(b"utf-8", bytes).or_else(|| read(&declared(bytes)?, bytes)),
    };
    Ok(Text { media_type, text: text.ok_or(Error::Charset)? })
}

fn read(label: &[u8], bytes: &[u8]) -> Option<String> {
    let (text, _, malformed) = Encoding::for_label(label)?.decode(bytes);
    (!malformed).then(|| text.into_owned())
}

/// What a page of HTML or XML says of itself: `charset=gbk`, `encoding="gbk"`.
fn declared(bytes: &[u8]) -> Option<Vec<u8>> {
    let start = bytes[..bytes.len().min(DECLARATION_BYTES)].to_ascii_lowercase();
    let after = [&b"charset="[..], b"encoding="].into_iter().find_map(|name| {
        let at = start.windows(name.len()).position(|window| window == name)?;
        Some(&start[at + name.len()..])
    })?;
    let label = after.iter().skip_while(|byte| matches!(byte, b'"' | b'\''));
    Some(
        label
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_:".contains(byte))
            .copied()
            .collect(),
    )
}

fn charset(parameter: &str) -> Option<&str> {
    let (name, value) = parameter.split_once('=')?;
    name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_page_is_read_in_the_charset_it_names() {
        for (content_type, bytes, expected) in [
            ("", "退货".as_bytes(), Some(("", "退货"))),
            ("text/html", "caf\u{e9}".as_bytes(), Some(("text/html", "café"))),
            ("Text/HTML; Charset=\"GBK\"", b"\xcd\xcb\xbb\xf5", Some(("text/html", "退货"))),
            ("text/plain;charset=iso-8859-1", b"caf\xe9", Some(("text/plain", "café"))),
            ("text/plain; charset=utf-8", b"\xef\xbb\xbfhello", Some(("text/plain", "hello"))),
            ("text/html; charset=klingon", b"hello", None),
            ("text/html", b"\xcd\xcb\xbb\xf5", None),
            (
                "text/html",
                b"<meta charset=\"GBK\">\xcd\xcb\xbb\xf5",
                Some(("text/html", "<meta charset=\"GBK\">退货")),
            ),
            (
                "text/xml",
                b"<?xml encoding='gb2312'?>\xcd\xcb\xbb\xf5",
                Some(("text/xml", "<?xml encoding='gb2312'?>退货")),
            ),
            ("text/html", b"<meta charset=\"klingon\">\xcd\xcb", None),
        ] {
            let mut headers = HeaderMap::new();
            if !content_type.is_empty() {
                headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).expect("ASCII"));
            }
            let read = decode(&headers, bytes);
            match (read, expected) {
                (Ok(read), Some((media_type, text))) => {
                    assert_eq!((read.media_type.as_str(), read.text.as_str()), (media_type, text));
                }
                (Err(Error::Charset), None) => {}
                (read, expected) => panic!("{content_type}: {read:?}, not {expected:?}"),
            }
        }
    }
}
