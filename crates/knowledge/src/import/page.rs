//! A page of a web site as a draft: its title and what it says, without what surrounds it on every page.
//!
//! The page's `main` or `article` is preferred. Scripts, navigation, forms and footers are left out, links to other
//! places stay, pictures do not. Tag soup is read as far as it goes: no tree is built, so nothing can nest too deep.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

use super::{Draft, Problem, language, language_by_letters, sitemap::origin, slug_or};
use crate::article::{ArticleText, BODY_BYTES_MAX, SUMMARY_CHARACTERS_MAX, TITLE_CHARACTERS_MAX};

/// Bytes of a page that are read.
pub const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Characters a page's main part has at the least; with fewer the next wider part is taken.
const PART_CHARACTERS_MIN: usize = 80;
/// Characters without which a page says nothing.
const TEXT_CHARACTERS_MIN: usize = 20;
/// Bytes of a link.
const URL_BYTES_MAX: usize = 1_000;

/// Reads a page that was fetched from `url`.
pub fn page(html: &str, url: &str) -> Result<Draft, Problem> {
    if html.len() > PAGE_BYTES_MAX {
        let reason = format!("the page has {} bytes, at most {PAGE_BYTES_MAX}", html.len());
        return Err(Problem::new(0, "page_too_long", reason));
    }
    let mut emitter = DefaultEmitter::default();
    // Without it the text of a script would be read as tags.
    emitter.naively_switch_states(true);
    let tokens: Vec<Token> = Tokenizer::new_with_emitter(html, emitter)
        .map(|token| match token {
            Ok(token) => token,
            Err(never) => match never {},
        })
        .collect();
    let head = Head::of(&tokens);
    let parts = [Part::Main, Part::Article, Part::Body].map(|part| Reading::of(&tokens, part, url));
    let [main, article, body] = parts;
    let long = |reading: &Reading<'_>| reading.characters >= PART_CHARACTERS_MIN;
    let reading = [main, article].into_iter().find(long).unwrap_or(body);
    if reading.characters < TEXT_CHARACTERS_MIN {
        return Err(Problem::new(0, "page_empty", "the page says nothing without its scripts"));
    }
    let (name, path) = names(url);
    let title = [reading.title.as_str(), &head.title, name]
        .into_iter()
        .map(str::trim)
        .find(|title| !title.is_empty())
        .unwrap_or(url);
    let mut text = reading.markdown();
    let mut end = text.len().min(BODY_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    let draft = Draft {
        slug: slug_or("", path),
        category: String::new(),
        lang: language(&head.lang).unwrap_or_else(|| language_by_letters(title)),
        text: ArticleText {
            title: title.chars().take(TITLE_CHARACTERS_MAX).collect(),
            summary: head.summary.chars().take(SUMMARY_CHARACTERS_MAX).collect(),
            body: text,
            questions: Vec::new(),
            category: String::new(),
        },
    };
    draft.check().map_err(|error| Problem::of(0, &error))?;
    Ok(draft)
}

/// The last part of an address, and its path: what a page is called where it has no title.
fn names(url: &str) -> (&str, &str) {
    let path = origin(url).map_or(url, |origin| &url[origin.len()..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".html").or_else(|| path.strip_suffix(".htm")).unwrap_or(path);
    let path = if path.is_empty() { "start" } else { path };
    (path.rsplit('/').next().unwrap_or(path), path)
}

/// What stands before the body.
#[derive(Default)]
struct Head {
    title: String,
    summary: String,
    lang: String,
}

impl Head {
    fn of(tokens: &[Token]) -> Self {
        let mut head = Self::default();
        let mut in_title = false;
        for token in tokens {
            match token {
                Token::StartTag(tag) => match name(tag) {
                    "html" => head.lang = attribute(tag, "lang"),
                    "title" => in_title = head.title.is_empty(),
                    "meta" if attribute(tag, "name").eq_ignore_ascii_case("description") => {
                        head.summary = squeezed(&attribute(tag, "content"));
                    }
                    "body" => break,
                    _ => {}
                },
                Token::EndTag(_) => in_title = false,
                Token::String(text) if in_title => head.title.push_str(&lossy(&text[..])),
                _ => {}
            }
        }
        // "How to return | Shop": the site's name stands behind the page's.
        let title = squeezed(&head.title);
        let end = [" | ", " – ", " — ", " - ", " · "]
            .iter()
            .filter_map(|mark| title.find(mark))
            .min()
            .unwrap_or(title.len());
        title[..end].clone_into(&mut head.title);
        head
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Main,
    Article,
    Body,
}

impl Part {
    fn begins(self, tag: &StartTag<()>) -> bool {
        match self {
            Self::Main => name(tag) == "main" || attribute(tag, "role") == "main",
            Self::Article => name(tag) == "article",
            Self::Body => name(tag) == "body",
        }
    }
}

/// Elements whose text is not the page's.
const LEFT_OUT: [&str; 22] = [
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "nav", "footer",
    "aside", "form", "button", "select", "textarea", "dialog", "menu", "audio", "video", "canvas",
    "head", "title",
];

/// A part of the page on its way to Markdown.
struct Reading<'a> {
    url: &'a str,
    title: String,
    blocks: Vec<String>,
    text: String,
    /// Before the next block's text: `## `, `- `.
    mark: String,
    in_title: bool,
    lists: Vec<Option<u32>>,
    link: Option<(usize, String)>,
    verbatim: bool,
    characters: usize,
}

impl<'a> Reading<'a> {
    fn of(tokens: &[Token], part: Part, url: &'a str) -> Self {
        let mut reading = Self {
            url,
            title: String::new(),
            blocks: Vec::new(),
            text: String::new(),
            mark: String::new(),
            in_title: false,
            lists: Vec::new(),
            link: None,
            verbatim: false,
            characters: 0,
        };
        // A page without <body> is one body.
        let has_body =
            tokens.iter().any(|token| matches!(token, Token::StartTag(tag) if name(tag) == "body"));
        let mut inside = usize::from(part == Part::Body && !has_body);
        let mut part_name = String::from("body");
        let mut left_out: Option<(String, usize)> = None;
        for token in tokens {
            match token {
                Token::StartTag(tag) => {
                    if let Some((element, depth)) = &mut left_out {
                        if name(tag) == element && !tag.self_closing {
                            *depth += 1;
                        }
                    } else if inside == 0 {
                        if part.begins(tag) {
                            inside = 1;
                            name(tag).clone_into(&mut part_name);
                        }
                    } else if is_left_out(tag, part) {
                        if !tag.self_closing {
                            left_out = Some((name(tag).to_owned(), 1));
                        }
                    } else {
                        if name(tag) == part_name {
                            inside += 1;
                        }
                        reading.start(tag);
                    }
                }
                Token::EndTag(tag) => {
                    let ended = std::str::from_utf8(&tag.name).unwrap_or_default();
                    if let Some((element, depth)) = &mut left_out {
                        if ended == element {
                            *depth -= 1;
                            if *depth == 0 {
                                left_out = None;
                            }
                        }
                    } else if inside > 0 {
                        if ended == part_name {
                            inside -= 1;
                        }
                        reading.end(ended);
                    }
                }
                Token::String(text) if inside > 0 && left_out.is_none() => {
                    reading.say(&lossy(&text[..]));
                }
                _ => {}
            }
        }
        reading.close();
        reading
    }

    fn start(&mut self, tag: &StartTag<()>) {
        match name(tag) {
            "h1" => {
                self.close();
                self.in_title = self.title.is_empty();
                "# ".clone_into(&mut self.mark);
            }
            "h2" => self.open("## "),
            "h3" => self.open("### "),
            "h4" | "h5" | "h6" => self.open("#### "),
            "ul" => {
                self.close();
                self.lists.push(None);
            }
            "ol" => {
                self.close();
                self.lists.push(Some(1));
            }
            "li" => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.open(&mark);
            }
            "br" => self.text.push('\n'),
            "td" | "th" if !self.text.is_empty() => self.text.push_str(" | "),
            "pre" => {
                self.close();
                self.verbatim = true;
            }
            "a" => {
                let to = absolute(&attribute(tag, "href"), self.url);
                self.link = to.map(|to| (self.text.len(), to));
            }
            "p" | "div" | "section" | "article" | "main" | "blockquote" | "table" | "tr" | "dl"
            | "dt" | "dd" | "figure" | "figcaption" | "details" | "summary" | "header" | "hr"
                // A paragraph within an item of a list is that item.
                if !self.text.trim().is_empty() || self.mark.is_empty() =>
            {
                self.close();
            }
            _ => {}
        }
    }

    fn end(&mut self, element: &str) {
        match element {
            "h1" => {
                if self.in_title {
                    self.title = squeezed(&unescaped(&self.text));
                    self.text.clear();
                    self.mark.clear();
                    self.in_title = false;
                } else {
                    self.close();
                }
            }
            "ul" | "ol" => {
                self.close();
                self.lists.pop();
            }
            "pre" => {
                self.close();
                self.verbatim = false;
            }
            "a" => {
                if let Some((from, to)) = self.link.take()
                    && let Some(shown) = self.text.get(from..)
                    && !shown.trim().is_empty()
                {
                    let shown = squeezed(shown);
                    let space =
                        if self.text[from..].starts_with(char::is_whitespace) { " " } else { "" };
                    self.text.truncate(from);
                    for piece in [space, "[", &shown, "](", &to, ")"] {
                        self.text.push_str(piece);
                    }
                }
            }
            "h2" | "h3" | "h4" | "h5" | "h6" | "li" | "p" | "div" | "section" | "article"
            | "main" | "blockquote" | "table" | "tr" | "dl" | "dt" | "dd" | "figure"
            | "figcaption" | "details" | "summary" | "header" => self.close(),
            _ => {}
        }
    }

    fn say(&mut self, text: &str) {
        for character in text.chars() {
            if character.is_control() && !character.is_whitespace() {
                continue;
            }
            if character == '\n' && !self.verbatim {
                self.text.push(' ');
                continue;
            }
            if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '~') {
                self.text.push('\\');
            }
            self.text.push(character);
        }
    }

    fn open(&mut self, mark: &str) {
        self.close();
        mark.clone_into(&mut self.mark);
    }

    fn close(&mut self) {
        let lines = self.text.split('\n').map(squeezed).filter(|line| !line.is_empty());
        let text = lines.collect::<Vec<String>>().join("  \n");
        self.text.clear();
        self.link = None;
        let mark = std::mem::take(&mut self.mark);
        if text.is_empty() {
            return;
        }
        self.characters += text.chars().count();
        // What looks like a mark of Markdown at a block's beginning is not one here.
        let guard = if text.starts_with(['#', '-', '+', '>', '=']) { "\\" } else { "" };
        self.blocks.push(format!("{mark}{guard}{text}"));
    }

    fn markdown(&self) -> String {
        let mut markdown = String::new();
        let mut before = None;
        for block in &self.blocks {
            // Items of one list stand together.
            let kind = item_kind(block);
            if !markdown.is_empty() {
                markdown.push_str(if kind.is_some() && kind == before { "\n" } else { "\n\n" });
            }
            markdown.push_str(block);
            before = kind;
        }
        markdown
    }
}

/// Whether a block is an item of a list, and whether that is numbered.
fn item_kind(block: &str) -> Option<bool> {
    if block.starts_with("- ") {
        return Some(false);
    }
    let (number, _) = block.split_once(". ")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(true)
}

/// Whether an element's text is not the page's. The header of a whole page is the site's, that of an article its own.
fn is_left_out(tag: &StartTag<()>, part: Part) -> bool {
    let element = name(tag);
    LEFT_OUT.contains(&element)
        || (element == "header" && part == Part::Body)
        || attribute(tag, "aria-hidden") == "true"
            && !matches!(element, "br" | "img" | "hr" | "input" | "meta" | "link" | "wbr")
        || matches!(
            attribute(tag, "role").as_str(),
            "navigation" | "banner" | "contentinfo" | "search"
        )
}

/// Where a link leads from a page: an address of http, https or mail, or None.
fn absolute(href: &str, page: &str) -> Option<String> {
    let href: String = href.chars().filter(|character| !character.is_control()).collect();
    let href = href.trim();
    let lower = href.to_ascii_lowercase();
    let url = if ["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme)) {
        href.to_owned()
    } else if href.starts_with('/') && !href.starts_with("//") {
        format!("{}{href}", origin(page)?)
    } else {
        return None;
    };
    let fits = url.len() <= URL_BYTES_MAX
        && !url.contains(|character: char| {
            character.is_whitespace() || "()<>\"\\".contains(character)
        });
    fits.then_some(url)
}

fn name(tag: &StartTag<()>) -> &str {
    std::str::from_utf8(&tag.name).unwrap_or_default()
}

fn attribute(tag: &StartTag<()>, name: &str) -> String {
    tag.attributes.get(name.as_bytes()).map(|value| lossy(&value[..])).unwrap_or_default()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!doctype html><html lang="zh-TW"><head>
        <title>Returns &amp; refunds | The Shop</title>
        <meta name="Description" content="  How to
          return. "><script>document.write("<main>no</main>")</script></head>
        <body><header>The Shop</header><nav><ul><li><a href="/">Home</a></li></ul></nav>
        <main><h1>Send <em>it</em> back_now</h1><p>You have <b>30 days</b> from the
        day it arrived. See <a href="/terms">the  terms</a>, <a href="javascript:alert(1)">this</a> or
        <a href="https://x.example/a">that</a>.</p>
        <ol><li><p>Pack it</p><li>Send it</ol><ul><li>one</li><li>two<br>lines</li></ul>
        <form><input value="x"><button>Search</button></form>
        <table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>
        <pre># not a heading
  &lt;b&gt;</pre><img src=x onerror=alert(1) alt="photo"><aside>Also read</aside></main>
        <footer>Imprint</footer></body></html>"#;

    #[test]
    fn the_main_part_becomes_markdown() {
        let draft = page(PAGE, "https://shop.example/help/send-it-back.html?x=1").unwrap();
        assert_eq!(draft.text.title, "Send it back_now");
        assert_eq!(draft.text.summary, "How to return.");
        assert_eq!((draft.slug.as_str(), draft.lang.as_str()), ("help-send-it-back", "zh-CN"));
        assert_eq!(
            draft.text.body,
            "You have 30 days from the day it arrived. See [the terms](https://shop.example/terms), this or [that](https://x.example/a).\n\n\
             1. Pack it\n2. Send it\n\n- one\n- two  \nlines\n\nA | B\n\n1 | 2\n\n\\# not a heading  \n\\<b>"
        );
    }

    #[test]
    fn a_page_without_a_main_part_is_read_whole_but_for_what_surrounds_it() {
        let html = "<title>Opening - Shop</title><div class=x><nav>Menu</nav><p>We open at nine and close at six, on every day.</div><footer>Imprint</footer>";
        let draft = page(html, "https://shop.example/").unwrap();
        assert_eq!(draft.text.title, "Opening");
        assert_eq!(draft.text.body, "We open at nine and close at six, on every day.");
        assert_eq!(draft.slug, "start");
    }

    #[test]
    fn bad_pages_are_refused_or_read_as_far_as_they_go() {
        let code = |html: &str| page(html, "https://shop.example/x").unwrap_err().code;
        assert_eq!(code(""), "page_empty");
        assert_eq!(code("<body><div id=app></div><script src=a.js></script>"), "page_empty");
        assert_eq!(code(&"x".repeat(5 * 1024 * 1024)), "page_too_long");
        // 200,000 elements in each other, unclosed scripts, ends without a beginning.
        let deep = format!("{}We open at nine and close at six.", "<div><main>".repeat(90_000));
        assert!(page(&deep, "https://shop.example/x").is_ok());
        assert_eq!(code("<body>Short <script>We open at nine and close at six."), "page_empty");
        assert!(
            page("</p></main></b>We open at nine and close at six.</nav>", "no address").is_ok()
        );
    }

    #[test]
    fn what_a_page_says_stays_harmless_as_html() {
        let html = "<main><p>&lt;script&gt;alert(1)&lt;/script&gt; [x](javascript:alert(1)) <a href='java\nscript:alert(1)'>y</a> <a href='https://x.example/\"onclick=alert(1)'>z</a></p></main>";
        let draft = page(html, "https://shop.example/x").unwrap();
        let shown = crate::markdown::html(&draft.text.body);
        assert!(!shown.contains("<a") && !shown.contains("<script"), "{shown}");
    }
}
