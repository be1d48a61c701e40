//! Markdown as passages of plain text for a bubble, and as HTML for the help centre.
//!
//! What an admin or a crawled page wrote is not trusted in either form: HTML in Markdown is shown as the text it is,
//! and a link leads to http, https or mail only, or to another page of the same help centre.

mod passages;

use std::fmt::{self, Write as _};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

pub use self::passages::PASSAGE_CHARACTERS_MAX;
pub(crate) use self::passages::passages;

/// Characters of a bold line that is a heading.
const LABEL_CHARACTERS_MAX: usize = 80;
/// Lists and quotes in each other that are followed; deeper ones are read as text.
const DEPTH_MAX: usize = 16;
/// Bytes of Markdown that are read. An article is refused long before.
const READ_BYTES_MAX: usize = crate::article::BODY_BYTES_MAX;

fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(bounded(markdown), Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

fn bounded(markdown: &str) -> &str {
    let mut end = markdown.len().min(READ_BYTES_MAX);
    while !markdown.is_char_boundary(end) {
        end -= 1;
    }
    &markdown[..end]
}

/// Where a link may lead: an address of http, https or mail, or the name of another article.
enum Target {
    Out(String),
    Article(String),
}

fn target(url: &str) -> Option<Target> {
    // Browsers drop these characters anywhere in an address: "java\nscript:" is one word to them.
    let url: String = url.chars().filter(|character| !character.is_control()).collect();
    let url = url.trim();
    let lower = url.to_ascii_lowercase();
    if ["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme)) {
        return Some(Target::Out(url.to_owned()));
    }
    // "refund-time.md", "./refund-time.md#when" or "refund-time".
    let name = url.trim_start_matches("./");
    let name = name.split(['#', '?']).next().unwrap_or_default();
    let name = name.strip_suffix(".md").unwrap_or(name);
    crate::article::is_slug(name).then(|| Target::Article(name.to_owned()))
}

/// Markdown as blocks of plain text: paragraphs, headings, items of lists, rows of tables.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut reader = Blocks::default();
    for event in parser(markdown) {
        reader.take(event);
    }
    reader.finish(Kind::Paragraph);
    reader.done
}

struct Block {
    text: String,
    kind: Kind,
    /// Lists around it.
    depth: usize,
}

/// What a block is to those around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of a level, 1 to 6.
    Heading(u8),
    /// A line that is bold all through: a heading of people who do not write headings.
    Label,
    Paragraph,
    /// The beginning of an item; what else the item has are blocks of their own.
    Item,
    /// The first row of a table.
    Head,
    Row,
}

impl Block {
    /// A block stands under those before it that have a lower rank, up to the next one of its own.
    fn rank(&self) -> usize {
        const A_DEPTH: usize = 8;
        let paragraph = (self.depth + 1) * A_DEPTH;
        match self.kind {
            Kind::Heading(level) => usize::from(level),
            Kind::Label => A_DEPTH - 1,
            Kind::Item => paragraph - A_DEPTH / 2,
            Kind::Paragraph => paragraph,
            Kind::Head => paragraph + 1,
            Kind::Row => paragraph + 2,
        }
    }
}

#[derive(Default)]
struct Blocks {
    done: Vec<Block>,
    text: String,
    links: Vec<(usize, Option<String>)>,
    /// The next number of each list around here; None for bullets.
    lists: Vec<Option<u64>>,
    /// An item has begun whose first block is not done.
    item: bool,
    /// How deep in bold text, and whether there was other text in the block.
    strong: usize,
    plain: bool,
}

impl Blocks {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.plain |= self.strong == 0 && text.contains(char::is_alphanumeric);
                self.text.push_str(&without_control(&text));
            }
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::Start(Tag::List(first)) => {
                self.finish(Kind::Paragraph);
                self.lists.push(first);
            }
            Event::End(TagEnd::List(_)) => {
                self.finish(Kind::Paragraph);
                self.lists.pop();
            }
            Event::Start(Tag::Item) => {
                self.finish(Kind::Paragraph);
                self.item = true;
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        put(&mut self.text, format_args!("{number}. "));
                        *number += 1;
                    }
                    _ => self.text.push_str("- "),
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                let out = match target(&dest_url) {
                    Some(Target::Out(url)) => Some(url),
                    _ => None,
                };
                self.links.push((self.text.len(), out));
            }
            Event::End(TagEnd::Link) => {
                if let Some((from, Some(url))) = self.links.pop() {
                    let shown = self.text.get(from..).unwrap_or_default();
                    let bare = url.strip_prefix("mailto:").unwrap_or(&url);
                    if shown != bare && shown != url {
                        put(&mut self.text, format_args!(" ({bare})"));
                    }
                }
            }
            Event::End(TagEnd::TableCell) => self.text.push_str("  "),
            Event::Start(Tag::Strong) => self.strong += 1,
            Event::End(TagEnd::Strong) => self.strong = self.strong.saturating_sub(1),
            Event::End(TagEnd::Heading(level)) => self.finish(Kind::Heading(level as u8)),
            Event::End(TagEnd::TableHead) => self.finish(Kind::Head),
            Event::End(TagEnd::TableRow) => self.finish(Kind::Row),
            Event::End(
                TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::HtmlBlock,
            )
            | Event::Rule => self.finish(Kind::Paragraph),
            _ => {}
        }
    }

    fn finish(&mut self, kind: Kind) {
        let text = std::mem::take(&mut self.text);
        self.links.clear();
        let (item, plain) = (std::mem::take(&mut self.item), std::mem::take(&mut self.plain));
        let (text, depth) = (text.trim(), self.lists.len());
        if text.is_empty() || text == "-" {
            return;
        }
        let kind = match kind {
            Kind::Paragraph if item => Kind::Item,
            Kind::Paragraph if depth == 0 && !plain && is_label(text) => Kind::Label,
            kind => kind,
        };
        self.done.push(Block { text: text.to_owned(), kind, depth });
    }
}

/// Whether a bold text is a heading and no sentence.
fn is_label(text: &str) -> bool {
    text.chars().count() <= LABEL_CHARACTERS_MAX
        && text.contains(char::is_alphanumeric)
        && !text.ends_with(['.', '!', '。', '！', '…'])
}

fn without_control(text: &str) -> String {
    text.chars()
        .map(|character| if character == '\t' { ' ' } else { character })
        .filter(|character| *character == '\n' || !character.is_control())
        .collect()
}

/// Markdown as plain text: what a reader without any markup sees.
pub fn plain(markdown: &str) -> String {
    let texts: Vec<String> = blocks(markdown).into_iter().map(|block| block.text).collect();
    texts.join("\n")
}

/// Markdown as HTML that is safe in a page: no HTML of the author, no pictures, no scripts, links with
/// `rel="noopener nofollow"`. A link to another article (`slug.md`) becomes a relative one to `slug`.
pub fn html(markdown: &str) -> String {
    let mut page = Page { html: String::new(), open: Vec::new(), head: false, links: Vec::new() };
    for event in parser(markdown) {
        page.take(event);
    }
    page.html
}

struct Page {
    html: String,
    open: Vec<bool>,
    head: bool,
    links: Vec<bool>,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => {
                self.html.push_str("<code>");
                self.text(&text);
                self.html.push_str("</code>");
            }
            Event::SoftBreak => self.html.push('\n'),
            Event::HardBreak => self.html.push_str("<br>\n"),
            Event::Rule => self.html.push_str("<hr>\n"),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.html.push_str("<p>"),
            // The page's own title is the h1.
            Tag::Heading { level, .. } => {
                put(&mut self.html, format_args!("<h{}>", (level as usize + 1).min(6)));
            }
            Tag::BlockQuote(_) => self.deeper("<blockquote>\n"),
            Tag::CodeBlock(_) => self.html.push_str("<pre><code>"),
            Tag::List(None) => self.deeper("<ul>\n"),
            Tag::List(Some(1)) => self.deeper("<ol>\n"),
            Tag::List(Some(first)) => {
                let start = format!("<ol start=\"{first}\">\n");
                self.deeper(&start);
            }
            Tag::Item => self.html.push_str("<li>"),
            Tag::Emphasis => self.html.push_str("<em>"),
            Tag::Strong => self.html.push_str("<strong>"),
            Tag::Strikethrough => self.html.push_str("<del>"),
            Tag::Table(_) => self.html.push_str("<table>\n"),
            Tag::TableHead => {
                self.head = true;
                self.html.push_str("<thead><tr>");
            }
            Tag::TableRow => self.html.push_str("<tr>"),
            Tag::TableCell => self.html.push_str(if self.head { "<th>" } else { "<td>" }),
            Tag::Link { dest_url, .. } => {
                let target = target(&dest_url);
                self.links.push(target.is_some());
                match target {
                    Some(Target::Out(url)) => {
                        self.html.push_str("<a href=\"");
                        self.text(&url);
                        self.html.push_str("\" rel=\"noopener nofollow\">");
                    }
                    Some(Target::Article(slug)) => {
                        put(&mut self.html, format_args!("<a href=\"{slug}\">"));
                    }
                    None => {}
                }
            }
            // The text that stands for a picture is what is left of it.
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.html.push_str("</p>\n"),
            TagEnd::Heading(level) => {
                put(&mut self.html, format_args!("</h{}>\n", (level as usize + 1).min(6)));
            }
            TagEnd::BlockQuote(_) => self.shallower("</blockquote>\n"),
            TagEnd::CodeBlock => self.html.push_str("</code></pre>\n"),
            TagEnd::List(false) => self.shallower("</ul>\n"),
            TagEnd::List(true) => self.shallower("</ol>\n"),
            TagEnd::Item => self.html.push_str("</li>\n"),
            TagEnd::Emphasis => self.html.push_str("</em>"),
            TagEnd::Strong => self.html.push_str("</strong>"),
            TagEnd::Strikethrough => self.html.push_str("</del>"),
            TagEnd::Table => self.html.push_str("</tbody></table>\n"),
            TagEnd::TableHead => {
                self.head = false;
                self.html.push_str("</tr></thead><tbody>\n");
            }
            TagEnd::TableRow => self.html.push_str("</tr>\n"),
            TagEnd::TableCell => self.html.push_str(if self.head { "</th>" } else { "</td>" }),
            TagEnd::Link if self.links.pop() == Some(true) => self.html.push_str("</a>"),
            _ => {}
        }
    }

    /// Browsers lay out thousands of lists in each other slowly; beyond a depth they are left out.
    fn deeper(&mut self, tag: &str) {
        let shown = self.open.len() < DEPTH_MAX;
        if shown {
            self.html.push_str(tag);
        }
        self.open.push(shown);
    }

    fn shallower(&mut self, tag: &str) {
        if self.open.pop() == Some(true) {
            self.html.push_str(tag);
        }
    }

    fn text(&mut self, text: &str) {
        escape(text, &mut self.html);
    }
}

/// Appends to a text.
fn put(text: &mut String, more: fmt::Arguments<'_>) {
    text.write_fmt(more).expect("memory takes any text");
}

/// Text as it may stand in HTML, between tags and in quoted attributes.
fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(character),
            _ if character.is_control() => {}
            _ => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_plain_text_without_its_marks() {
        let text = "# Returns\n\nWithin **30 days**, `unused`.\nSee [the form](https://x.example/f), \
                    [terms](terms.md) or [us](mailto:a@x.example).\n\n- one\n- two\n  1. deep\n\n\
                    3. three\n4. four\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> said\n\n```\ncode <b>\n```\n";
        assert_eq!(
            plain(text),
            "Returns\nWithin 30 days, unused. See the form (https://x.example/f), terms or us (a@x.example).\n\
             - one\n- two\n1. deep\n3. three\n4. four\na  b\n1  2\nsaid\ncode <b>"
        );
    }

    #[test]
    fn html_of_a_plain_article() {
        assert_eq!(
            html("# A & B\n\n*x* **y** ~~z~~ `c`\n\n1. one\n2. [two](two.md)\n"),
            "<h2>A &amp; B</h2>\n<p><em>x</em> <strong>y</strong> <del>z</del> <code>c</code></p>\n\
             <ol>\n<li>one</li>\n<li><a href=\"two\">two</a></li>\n</ol>\n"
        );
        assert_eq!(
            html("[x](https://x.example/?a=1&b=\"2\")"),
            "<p><a href=\"https://x.example/?a=1&amp;b=&quot;2&quot;\" rel=\"noopener nofollow\">x</a></p>\n"
        );
        assert_eq!(
            html("[x](<https://x.example/?a=1&b='2'>)"),
            "<p><a href=\"https://x.example/?a=1&amp;b=&#39;2&#39;\" rel=\"noopener nofollow\">x</a></p>\n"
        );
        assert!(html("|a|b|\n|-|-|\n|1|2|").contains("<th>a</th>"));
    }

    /// Every tag of the result is one of these, and nothing else begins with `<`.
    fn only_known_tags(html: &str) -> bool {
        let tags = html
            .split('<')
            .skip(1)
            .map(|rest| rest.trim_start_matches('/').split(['>', ' ']).next().unwrap_or_default());
        tags.into_iter().all(|tag| {
            matches!(
                tag,
                "p" | "h2"
                    | "h3"
                    | "h4"
                    | "h5"
                    | "h6"
                    | "a"
                    | "ul"
                    | "ol"
                    | "li"
                    | "em"
                    | "strong"
                    | "del"
                    | "code"
                    | "pre"
                    | "br"
                    | "hr"
                    | "blockquote"
                    | "table"
                    | "thead"
                    | "tbody"
                    | "tr"
                    | "th"
                    | "td"
            )
        })
    }

    #[test]
    fn scripts_of_an_author_do_not_run() {
        for payload in [
            "<script>alert(1)</script>",
            "x <img src=x onerror=alert(1)> y",
            "<svg/onload=alert(1)>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java&#x0A;script:alert(1))",
            "[x](<java\tscript:alert(1)>)",
            "[x](&#106;avascript:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:msgbox(1))",
            "[x](//evil.example)",
            "[x](/\\evil.example)",
            "<javascript:alert(1)>",
            "![x](javascript:alert(1))",
            "![x](https://x.example/pixel.gif)",
            "![x\" onerror=\"alert(1)](y)",
            "[x](https://x.example/\"onmouseover=\"alert(1))",
            "[x](<https://x.example/\" onmouseover=\"alert(1)>)",
            "[x](https://x.example 'title\" onmouseover=\"alert(1)')",
            "[x][1]\n\n[1]: javascript:alert(1)",
            "<div><style>*{}</style></div>\n\n**x**",
            "```\"><script>alert(1)</script>\nx\n```",
            "<!-- --><script>alert(1)</script>",
            "<p title=\"`<img src=x onerror=alert(1)>`\">",
            "| <script> |\n|---|\n| [x](javascript:1) |",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "\u{0}<\u{0}script>alert(1)",
        ] {
            let html = html(payload);
            assert!(only_known_tags(&html), "{payload} -> {html}");
            assert!(!html.contains("<img") && !html.contains('\0'), "{payload} -> {html}");
            for tag in html.split("<a ").skip(1) {
                let tag = tag.split('>').next().unwrap();
                assert!(tag.starts_with("href=\"https://x.example"), "{payload} -> {html}");
                assert_eq!(tag.matches('"').count(), 4, "{payload} -> {html}");
            }
        }
    }

    #[test]
    fn deep_and_huge_markdown_is_read_in_a_moment() {
        for text in [
            "> ".repeat(20_000),
            "- ".repeat(20_000),
            "*".repeat(100_000),
            "[".repeat(100_000),
            "[x](".repeat(20_000),
            "`".repeat(100_000),
            "<".repeat(100_000),
            "x".repeat(5 * 1024 * 1024),
            "茶".repeat(2 * 1024 * 1024),
        ] {
            let html = html(&text);
            assert!(only_known_tags(&html));
            assert!(html.matches("<blockquote").count() <= DEPTH_MAX);
            assert!(html.len() <= READ_BYTES_MAX * 6);
            assert!(!passages(&text).0.is_empty() || plain(&text).is_empty());
        }
    }
}
