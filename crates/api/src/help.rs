//! The help centre as pages: what visitors read without a script, in their language, by day and by night. Pure: what is
//! known of the site goes in, HTML comes out ([`crate::routes::help`] serves it).
//!
//! Whatever a team, a crawled page or a reader wrote goes through [`html::Html`], which escapes all that is no literal
//! of this crate. Links are relative, so that pages work under any path prefix; canonical addresses are absolute.

mod colours;
pub(crate) mod html;
mod lists;
mod words;

use frontdesk_catalog::{Article, ArticleText};
use sha2::{Digest, Sha256};

pub(crate) use lists::{ARTICLES_PER_PAGE, category, home, search};

use self::{colours::Colours, html::Html, words::Words};
use crate::knowledge::{Categories, Heading};

/// The sheet of all pages.
pub(crate) const STYLE: &str = include_str!("help/style.css");

/// A help centre, and in which language it is read.
pub(crate) struct Site<'a> {
    /// Names the inbox in addresses.
    pub(crate) key: &'a str,
    /// What stands at the top; empty for a word of ours.
    pub(crate) name: &'a str,
    /// `#rrggbb`; anything else is the product's own.
    pub(crate) accent: &'a str,
    /// From this page to the folder `/help/`, relative: empty, or `../../`.
    pub(crate) root: &'static str,
    /// Origin and path prefix as the reader sees them.
    pub(crate) outside: &'a str,
    /// The language of the page, a tag of the index.
    pub(crate) language: &'a str,
    /// Languages there is something in.
    pub(crate) languages: &'a [String],
    /// What categories are called.
    pub(crate) categories: &'a Categories,
}

/// A page that is ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) html: String,
    /// Of its own style, for the policy.
    pub(crate) style_hash: String,
}

/// What stands in the head of a page.
struct Head<'a> {
    title: String,
    description: &'a str,
    /// Below `/help/KEY`, with the language; none where it should not be found.
    canonical: Option<String>,
    /// Language and address below `/help/KEY` of the same page in other languages.
    alternates: Vec<(String, String)>,
}

impl Site<'_> {
    fn words(&self) -> &'static Words {
        Words::of(self.language)
    }

    fn title(&self) -> &str {
        if self.name.is_empty() { self.words().help_centre } else { self.name }
    }

    /// What a category is called; not empty.
    fn category<'a>(&'a self, category: &'a str) -> &'a str {
        if category.is_empty() {
            return self.words().others;
        }
        self.categories.name(category, self.language)
    }

    /// A link to the first page in a language.
    fn home(&self, language: &str) -> String {
        format!("{}{}?lang={language}", self.root, self.key)
    }

    /// A link to an article.
    fn article(&self, language: &str, slug: &str) -> String {
        format!("{}{}/{language}/{slug}", self.root, self.key)
    }

    /// An absolute address below the help centre.
    fn absolute(&self, below: &str) -> String {
        format!("{}/help/{}{below}", self.outside, self.key)
    }

    /// The whole page.
    fn page(&self, head: &Head<'_>, main: &Html) -> Page {
        let words = self.words();
        let style = Colours::of(self.accent).style();
        let style_hash = base64(&Sha256::digest(style.as_bytes()));
        let mut page = Html::default();
        page.raw("<!doctype html>\n<html").attribute("lang", self.language);
        if words::is_right_to_left(self.language) {
            page.raw(" dir=\"rtl\"");
        }
        page.raw("><head><meta charset=\"utf-8\">");
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        page.raw("<meta name=\"color-scheme\" content=\"light dark\"><title>");
        page.text(&head.title).raw("</title>");
        if !head.description.is_empty() {
            page.raw("<meta name=\"description\"").attribute("content", head.description).raw(">");
        }
        match &head.canonical {
            Some(below) => {
                let address = self.absolute(below);
                page.raw("<link rel=\"canonical\"").attribute("href", &address).raw(">");
                for (language, below) in &head.alternates {
                    page.raw("<link rel=\"alternate\"").attribute("hreflang", language);
                    page.attribute("href", &self.absolute(below)).raw(">");
                }
            }
            None => {
                page.raw("<meta name=\"robots\" content=\"noindex\">");
            }
        }
        let sheet = format!("{}../help.css?v={}", self.root, style_version());
        page.raw("<link rel=\"stylesheet\"").attribute("href", &sheet).raw("><style>");
        page.style(&style).raw("</style></head><body>");
        page.raw("<a class=\"skip\" href=\"#main\">").text(words.skip).raw("</a>");
        self.header(&mut page, &head.alternates);
        page.raw("<main id=\"main\" class=\"page\">").append(main).raw("</main>");
        self.footer(&mut page);
        page.raw("</body></html>\n");
        Page { html: page.into_string(), style_hash }
    }

    fn header(&self, page: &mut Html, alternates: &[(String, String)]) {
        let words = self.words();
        page.raw("<header class=\"top\"><div class=\"page bar\"><a class=\"brand\"");
        page.attribute("href", &self.home(self.language)).raw(">");
        page.text(self.title()).raw("</a>");
        let others: Vec<_> =
            alternates.iter().filter(|(language, _)| language != self.language).collect();
        if !others.is_empty() {
            page.raw("<nav class=\"languages\"").attribute("aria-label", words.language).raw(">");
            for (language, below) in others {
                let link = format!("{}{}{below}", self.root, self.key);
                page.raw("<a").attribute("href", &link).attribute("lang", language);
                page.attribute("hreflang", language).raw(">");
                page.text(words::name_of(language)).raw("</a>");
            }
            page.raw("</nav>");
        }
        page.raw("</div></header>");
    }

    /// Who found nothing gets to people.
    fn footer(&self, page: &mut Html) {
        let words = self.words();
        page.raw("<footer class=\"bottom\"><div class=\"page\"><p>").text(words.still).raw(" <a");
        page.attribute("href", &format!("{}../c/{}", self.root, self.key)).raw(">");
        page.text(words.write_to_us).raw("</a></p></div></footer>");
    }

    fn search_form(&self, main: &mut Html, typed: &str) {
        let words = self.words();
        let action = format!("{}{}", self.root, self.key);
        main.raw("<form class=\"search\" role=\"search\" method=\"get\"");
        main.attribute("action", &action).raw("><input type=\"hidden\" name=\"lang\"");
        main.attribute("value", self.language).raw("><input type=\"search\" name=\"q\"");
        main.raw(" maxlength=\"200\"").attribute("value", typed);
        main.attribute("placeholder", words.search_for).attribute("aria-label", words.search_for);
        main.raw("><button type=\"submit\">").text(words.search).raw("</button></form>");
    }

    /// Links to articles, each in the language it has.
    fn links<'h>(&self, main: &mut Html, headings: impl IntoIterator<Item = &'h Heading>) {
        main.raw("<ul class=\"articles\">");
        for heading in headings {
            let Some((language, title, summary)) = heading.in_language(self.language) else {
                continue;
            };
            main.raw("<li><a").attribute("href", &self.article(language, &heading.slug));
            if language != self.language {
                main.attribute("lang", language).attribute("hreflang", language);
            }
            main.raw("><span class=\"title\">").text(title).raw("</span>");
            if !summary.is_empty() {
                main.raw("<span class=\"summary\">").text(summary).raw("</span>");
            }
            main.raw("</a></li>");
        }
        main.raw("</ul>");
    }
}

impl Heading {
    /// Language, title and summary for a reader: the own language, else English, else the first there is.
    pub(crate) fn in_language(&self, language: &str) -> Option<(&str, &str, &str)> {
        let (language, (title, summary)) = self
            .texts
            .get_key_value(language)
            .or_else(|| self.texts.get_key_value("en"))
            .or_else(|| self.texts.first_key_value())?;
        Some((language, title, summary))
    }
}

/// What a reader said of an article a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Nothing,
    /// Whether it helped.
    Thanks,
}

/// An article.
pub(crate) fn article(
    site: &Site<'_>,
    article: &Article,
    text: &ArticleText,
    related: &[Heading],
    said: Said,
) -> Page {
    let words = site.words();
    let mut main = Html::default();
    main.raw("<nav class=\"crumbs\"").attribute("aria-label", words.path).raw("><ol><li><a");
    main.attribute("href", &site.home(site.language)).raw(">").text(words.help_centre);
    main.raw("</a></li>");
    if !article.category.is_empty() {
        let link = lists::category_link(site, &article.category, 1);
        main.raw("<li><a").attribute("href", &link).raw(">").text(site.category(&article.category));
        main.raw("</a></li>");
    }
    main.raw("<li aria-current=\"page\">").text(&text.title).raw("</li></ol></nav>");
    main.raw("<article><h1>").text(&text.title).raw("</h1>");
    if !text.summary.is_empty() {
        main.raw("<p class=\"lead\">").text(&text.summary).raw("</p>");
    }
    let date = crate::routes::date(article.updated_ms.div_euclid(crate::routes::DAY_MS));
    main.raw("<p class=\"date\">").text(words.updated).raw(" <time").attribute("datetime", &date);
    main.raw(">").text(&date).raw("</time></p><div class=\"text\">");
    main.markdown(&text.body).raw("</div></article>");
    main.raw("<section class=\"helpful\" id=\"helpful\">");
    if said == Said::Thanks {
        main.raw("<p role=\"status\">").text(words.thanks).raw("</p>");
    } else {
        main.raw("<form method=\"post\"");
        main.attribute("action", &format!("{}/feedback", article.slug)).raw("><h2>");
        main.text(words.helpful).raw("</h2><div class=\"choices\">");
        for (value, word) in [("yes", words.yes), ("no", words.no)] {
            main.raw("<button type=\"submit\" name=\"helpful\"").attribute("value", value);
            main.raw(">").text(word).raw("</button>");
        }
        main.raw("</div></form>");
    }
    main.raw("</section>");
    if !related.is_empty() {
        main.raw("<section class=\"related\"><h2>").text(words.related).raw("</h2>");
        site.links(&mut main, related);
        main.raw("</section>");
    }
    let below = |language: &str| format!("/{language}/{}", article.slug);
    let head = Head {
        title: format!("{} · {}", text.title, site.title()),
        description: &text.summary,
        canonical: Some(below(site.language)),
        alternates: article
            .texts
            .keys()
            .map(|language| (language.clone(), below(language)))
            .collect(),
    };
    site.page(&head, &main)
}

/// What is not there, or not for readers.
pub(crate) fn not_found(site: &Site<'_>) -> Page {
    let words = site.words();
    let mut main = Html::default();
    main.raw("<section class=\"empty\"><h1>").text(words.not_found).raw("</h1><p>");
    main.text(words.not_found_hint).raw("</p>");
    if !site.key.is_empty() {
        site.search_form(&mut main, "");
        main.raw("<p><a").attribute("href", &site.home(site.language)).raw(">");
        main.text(words.to_the_start).raw("</a></p>");
    }
    main.raw("</section>");
    let head = Head {
        title: format!("{} · {}", words.not_found, site.title()),
        description: "",
        canonical: None,
        alternates: Vec::new(),
    };
    if site.key.is_empty() {
        return bare(site, &head, &main);
    }
    site.page(&head, &main)
}

/// The page of a help centre that does not exist: there is nothing to lead back to.
fn bare(site: &Site<'_>, head: &Head<'_>, main: &Html) -> Page {
    let style = Colours::of("").style();
    let style_hash = base64(&Sha256::digest(style.as_bytes()));
    let sheet = format!("{}../help.css?v={}", site.root, style_version());
    let mut page = Html::default();
    page.raw("<!doctype html>\n<html").attribute("lang", site.language);
    page.raw("><head><meta charset=\"utf-8\">");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">");
    page.raw("<meta name=\"robots\" content=\"noindex\"><title>").text(&head.title);
    page.raw("</title><link rel=\"stylesheet\"").attribute("href", &sheet).raw("><style>");
    page.style(&style).raw("</style></head><body><main class=\"page\">").append(main);
    page.raw("</main></body></html>\n");
    Page { html: page.into_string(), style_hash }
}

/// Changes with the sheet, which browsers keep for ever.
pub(crate) fn style_version() -> &'static str {
    static VERSION: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    VERSION.get_or_init(|| {
        use std::fmt::Write as _;
        Sha256::digest(STYLE.as_bytes())[..6].iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
    })
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
