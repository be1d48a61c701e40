//! Which pages of a site are to be read: its sitemap.
//!
//! Addresses of the sitemap's own origin only, so that a site cannot send the crawler elsewhere. A sitemap may be an
//! index of sitemaps; the caller fetches those once, and an index within an index is not followed.

use std::collections::HashSet;

use quick_xml::{Reader, events::Event};

use super::Problem;

/// Bytes of a sitemap that are read; the protocol allows 50 MB, and no help centre needs them.
pub const SITEMAP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of an address.
const URL_BYTES_MAX: usize = 2_048;
/// Elements in each other.
const DEPTH_MAX: usize = 32;
/// Sitemaps of an index that are read.
pub const SITEMAPS_MAX: usize = 20;

/// What a sitemap is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sitemap {
    /// Addresses of pages.
    Pages(Vec<String>),
    /// Addresses of sitemaps.
    Index(Vec<String>),
}

/// Reads a sitemap from `address`: at most `pages_max` different addresses, in their order.
pub fn sitemap(xml: &str, address: &str, pages_max: usize) -> Result<Sitemap, Problem> {
    if xml.len() > SITEMAP_BYTES_MAX {
        let reason = format!("the sitemap has {} bytes, at most {SITEMAP_BYTES_MAX}", xml.len());
        return Err(Problem::new(0, "sitemap_too_long", reason));
    }
    let origin = origin(address).ok_or_else(|| {
        Problem::new(0, "sitemap_address", "a sitemap's address begins with http:// or https://")
    })?;
    let mut urls = Urls { origin, seen: HashSet::new(), taken: Vec::new(), most: pages_max };
    let xml = xml.trim_start_matches('\u{feff}').trim_start();
    let is_index = if xml.starts_with('<') {
        let is_index = read(xml, &mut urls)?;
        if is_index {
            urls.taken.truncate(SITEMAPS_MAX);
        }
        is_index
    } else {
        // The protocol's other form: an address a line.
        xml.lines().for_each(|line| urls.take(line));
        false
    };
    if urls.taken.is_empty() {
        let reason = "the sitemap names no page of its own site";
        return Err(Problem::new(0, "sitemap_empty", reason));
    }
    Ok(if is_index { Sitemap::Index(urls.taken) } else { Sitemap::Pages(urls.taken) })
}

/// The pages of sitemaps an index named, given as (address, XML), at most `pages_max` together. An index among them and
/// what cannot be read are left out.
pub fn pages_of<'a>(
    sitemaps: impl IntoIterator<Item = (&'a str, &'a str)>,
    pages_max: usize,
) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut pages = Vec::new();
    for (address, xml) in sitemaps.into_iter().take(SITEMAPS_MAX) {
        if let Ok(Sitemap::Pages(urls)) = sitemap(xml, address, pages_max) {
            pages.extend(urls.into_iter().filter(|url| seen.insert(url.clone())));
        }
    }
    pages.truncate(pages_max);
    pages
}

struct Urls<'a> {
    origin: &'a str,
    seen: HashSet<String>,
    taken: Vec<String>,
    most: usize,
}

impl Urls<'_> {
    fn take(&mut self, url: &str) {
        let url = url.trim().split('#').next().unwrap_or_default();
        if self.taken.len() < self.most
            && url.len() <= URL_BYTES_MAX
            && origin(url).is_some_and(|of| of.eq_ignore_ascii_case(self.origin))
            && !url.contains(|character: char| character.is_whitespace() || character.is_control())
            && self.seen.insert(url.to_owned())
        {
            self.taken.push(url.to_owned());
        }
    }
}

/// Scheme, host and port of an address; None for other schemes and for a host with a user's name before it.
pub(super) fn origin(url: &str) -> Option<&str> {
    let host_at = ["https://", "http://"]
        .iter()
        .find(|scheme| {
            url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })?
        .len();
    let length = url[host_at..].find(['/', '?', '#', '\\']).unwrap_or(url.len() - host_at);
    let host = &url[host_at..host_at + length];
    (!host.is_empty() && !host.contains('@')).then(|| &url[..host_at + length])
}

/// Takes the addresses, and says whether they are of sitemaps.
fn read(xml: &str, urls: &mut Urls<'_>) -> Result<bool, Problem> {
    let broken = |at: u64, reason: String| {
        let line = xml.as_bytes().iter().take(at as usize).filter(|byte| **byte == b'\n').count();
        Problem::new(line as u64 + 1, "sitemap_xml", reason)
    };
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<Vec<u8>> = Vec::new();
    let mut url = String::new();
    let mut is_index = false;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| broken(reader.error_position(), error.to_string()))?;
        let in_loc = open.last().is_some_and(|name| name == b"loc")
            && matches!(
                open.len().checked_sub(2).map(|at| &open[at][..]),
                Some(b"url" | b"sitemap")
            );
        match event {
            Event::Start(tag) => {
                if open.len() == DEPTH_MAX {
                    let reason = "elements are nested too deeply".to_owned();
                    return Err(broken(reader.buffer_position(), reason));
                }
                let name = tag.local_name().as_ref().to_ascii_lowercase();
                if open.is_empty() {
                    match &name[..] {
                        b"sitemapindex" => is_index = true,
                        b"urlset" => {}
                        _ => return Err(broken(0, "this is no sitemap".to_owned())),
                    }
                }
                open.push(name);
                url.clear();
            }
            Event::Text(text) if in_loc => match text.decode() {
                Ok(text) => url.push_str(&text),
                Err(error) => return Err(broken(reader.buffer_position(), error.to_string())),
            },
            Event::CData(text) if in_loc => url.push_str(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(reference) if in_loc => {
                // The five of XML and numbers; others, which a document may define, are left out.
                match &*reference {
                    b"amp" => url.push('&'),
                    b"lt" => url.push('<'),
                    b"gt" => url.push('>'),
                    b"quot" => url.push('"'),
                    b"apos" => url.push('\''),
                    _ => {
                        if let Ok(Some(character)) = reference.resolve_char_ref() {
                            url.push(character);
                        }
                    }
                }
            }
            Event::End(_) => {
                if in_loc {
                    urls.take(&url);
                    url.clear();
                }
                open.pop();
            }
            Event::Eof => return Ok(is_index),
            _ => {}
        }
        if url.len() > URL_BYTES_MAX {
            url.truncate(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "https://help.example/sitemap.xml";

    #[test]
    fn pages_of_the_own_origin_are_taken_once() {
        let xml = r#"<?xml version="1.0"?>
            <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="x">
            <url><loc> https://help.example/a?x=1&amp;y=2#top </loc><lastmod>2026</lastmod><i:image><i:loc>https://help.example/a.png</i:loc></i:image></url>
            <url><loc>https://help.example/a?x=1&amp;y=2</loc></url>
            <url><loc><![CDATA[HTTPS://HELP.example/b]]></loc></url>
            <url><loc>https://evil.example/</loc></url>
            <url><loc>http://help.example/</loc></url>
            <url><loc>https://help.example:8443/</loc></url>
            <url><loc>https://help.example@evil.example/</loc></url>
            <url><loc>https://help.example.evil.example/</loc></url>
            <url><loc>https://help.example\@evil.example/</loc></url>
            <url><loc>javascript:alert(1)</loc></url>
            <url><loc>/relative</loc></url>
            </urlset>"#;
        let Ok(Sitemap::Pages(pages)) = sitemap(xml, AT, 200) else { panic!() };
        assert_eq!(
            pages,
            [
                "https://help.example/a?x=1&y=2",
                "HTTPS://HELP.example/b",
                "https://help.example\\@evil.example/"
            ]
        );
    }

    #[test]
    fn an_index_names_sitemaps_whose_pages_are_counted_together() {
        let index = "<sitemapindex><sitemap><loc>https://help.example/1.xml</loc></sitemap><sitemap><loc>https://help.example/2.xml</loc></sitemap></sitemapindex>";
        let Ok(Sitemap::Index(sitemaps)) = sitemap(index, AT, 200) else { panic!() };
        assert_eq!(sitemaps, ["https://help.example/1.xml", "https://help.example/2.xml"]);
        let pages: Vec<String> = ["a b c", "c d e"]
            .map(|names| {
                let urls: Vec<String> = names
                    .split(' ')
                    .map(|name| format!("<url><loc>https://help.example/{name}</loc></url>"))
                    .collect();
                format!("<urlset>{}</urlset>", urls.concat())
            })
            .to_vec();
        let sitemaps = [(AT, index), (AT, &pages[0]), (AT, &pages[1])];
        let found = pages_of(sitemaps, 4);
        let names: Vec<&str> = found.iter().filter_map(|url| url.rsplit('/').next()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
    }

    #[test]
    fn lines_of_addresses_are_a_sitemap_too() {
        let pages = sitemap("https://help.example/a\nhttps://help.example/b\n", AT, 1);
        assert_eq!(pages, Ok(Sitemap::Pages(vec!["https://help.example/a".to_owned()])));
    }

    #[test]
    fn bad_sitemaps_are_refused_and_entities_are_not_expanded() {
        let code = |xml: &str| sitemap(xml, AT, 10).unwrap_err().code;
        assert_eq!(code(""), "sitemap_empty");
        assert_eq!(code("<html><body>404</body></html>"), "sitemap_xml");
        assert_eq!(code("<urlset><url><loc>x</url></urlset>"), "sitemap_xml");
        assert_eq!(code(&format!("<urlset>{}", "<a>".repeat(100_000))), "sitemap_xml");
        assert_eq!(code(&" ".repeat(SITEMAP_BYTES_MAX + 1)), "sitemap_too_long");
        assert_eq!(
            sitemap("<urlset/>", "file:///etc/passwd", 10).unwrap_err().code,
            "sitemap_address"
        );
        let bomb = "<!DOCTYPE x [<!ENTITY a \"https://help.example/a\">]><urlset><url><loc>&a;</loc></url></urlset>";
        assert_eq!(code(bomb), "sitemap_empty");
    }
}
