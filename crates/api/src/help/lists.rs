//! The first page, the pages of a category, and what a search found.

use frontdesk_knowledge::Found;
use url::form_urlencoded::byte_serialize;

use super::{Head, Page, Site, html::Html};
use crate::knowledge::Heading;

/// Categories on the first page.
const CARDS_MAX: usize = 100;
/// Languages a page leads to.
const LANGUAGES_MAX: usize = 50;
/// Articles of a category on the first page.
const ARTICLES_PER_CARD: usize = 6;
/// Articles of one page of a category.
pub(crate) const ARTICLES_PER_PAGE: usize = 50;
/// Characters of a passage under a result.
const PASSAGE_CHARS_MAX: usize = 240;

/// The first page: a search, and the categories with their first articles.
pub(crate) fn home(site: &Site<'_>, headings: &[Heading]) -> Page {
    let words = site.words();
    let mut main = Html::default();
    main.raw("<section class=\"hero\"><h1>").text(words.how_can_we_help).raw("</h1>");
    site.search_form(&mut main, "");
    main.raw("</section>");
    if headings.is_empty() {
        main.raw("<section class=\"empty\"><h2>").text(words.nothing_yet).raw("</h2><p>");
        main.text(words.nothing_yet_hint).raw("</p></section>");
    }
    main.raw("<div class=\"cards\">");
    // Those of no category come last.
    let of =
        |none: bool| headings.iter().filter(move |heading| heading.category.is_empty() == none);
    let in_order: Vec<&Heading> = of(false).chain(of(true)).collect();
    let mut cards = in_order.chunk_by(|a, b| a.category == b.category);
    for chunk in cards.by_ref().take(CARDS_MAX) {
        let Some(first) = chunk.first() else { continue };
        let category = first.category.as_str();
        main.raw("<section class=\"card\"><h2>");
        if category.is_empty() {
            main.text(site.category(category));
        } else {
            let link = category_link(site, category, 1);
            main.raw("<a").attribute("href", &link).raw(">");
            main.text(site.category(category)).raw("</a>");
        }
        main.raw("</h2>");
        site.links(&mut main, chunk.iter().take(ARTICLES_PER_CARD).copied());
        if chunk.len() > ARTICLES_PER_CARD {
            let link = category_link(site, category, 1);
            main.raw("<p class=\"more\"><a").attribute("href", &link).raw(">");
            main.text(words.all_of).text(&format!(" ({})", chunk.len())).raw("</a></p>");
        }
        main.raw("</section>");
    }
    main.raw("</div>");
    if cards.next().is_some() {
        main.raw("<p class=\"more\">").text(words.more_categories).raw("</p>");
    }
    let below = |language: &str| format!("?lang={language}");
    let head = Head {
        title: site.title().to_owned(),
        description: words.description,
        canonical: Some(below(site.language)),
        alternates: alternates(site, below),
    };
    site.page(&head, &main)
}

/// A page of a category, from 1.
pub(crate) fn category(site: &Site<'_>, name: &str, headings: &[&Heading], number: usize) -> Page {
    let words = site.words();
    let shown = site.category(name);
    let mut main = Html::default();
    main.raw("<nav class=\"crumbs\"").attribute("aria-label", words.path).raw("><ol><li><a");
    main.attribute("href", &site.home(site.language)).raw(">").text(words.help_centre);
    main.raw("</a></li><li aria-current=\"page\">").text(shown).raw("</li></ol></nav><h1>");
    main.text(shown).raw("</h1>");
    let from = (number - 1) * ARTICLES_PER_PAGE;
    site.links(&mut main, headings.iter().skip(from).take(ARTICLES_PER_PAGE).copied());
    if headings.len() > ARTICLES_PER_PAGE {
        main.raw("<nav class=\"pages\"").attribute("aria-label", words.pages).raw(">");
        if number > 1 {
            let link = category_link(site, name, number - 1);
            main.raw("<a rel=\"prev\"").attribute("href", &link).raw(">").text(words.before);
            main.raw("</a>");
        }
        let last = headings.len().div_ceil(ARTICLES_PER_PAGE);
        main.raw("<span>").text(&format!("{number} / {last}")).raw("</span>");
        if number < last {
            let link = category_link(site, name, number + 1);
            main.raw("<a rel=\"next\"").attribute("href", &link).raw(">").text(words.after);
            main.raw("</a>");
        }
        main.raw("</nav>");
    }
    let below = |language: &str| below_category(language, name, number);
    let head = Head {
        title: format!("{shown} · {}", site.title()),
        description: "",
        canonical: Some(below(site.language)),
        alternates: alternates(site, below),
    };
    site.page(&head, &main)
}

/// What a search found: articles with the passage that says most, then those whose title has the words.
pub(crate) fn search(site: &Site<'_>, typed: &str, found: &[Found], named: &[&Heading]) -> Page {
    let words = site.words();
    let mut main = Html::default();
    site.search_form(&mut main, typed);
    if found.is_empty() && named.is_empty() {
        main.raw("<section class=\"empty\"><h1>").text(words.nothing_found).raw(" <q>");
        main.text(typed).raw("</q></h1><p>").text(words.nothing_found_hint);
        main.raw("</p></section>");
    } else {
        main.raw("<h1 class=\"results\">").text(words.found).raw(" <q>").text(typed);
        main.raw("</q></h1><ul class=\"articles found\">");
        for one in found {
            main.raw("<li><a").attribute("href", &site.article(&one.lang, &one.slug));
            if one.lang != site.language {
                main.attribute("lang", &one.lang).attribute("hreflang", &one.lang);
            }
            main.raw("><span class=\"title\">").text(&one.title);
            main.raw("</span><span class=\"summary\">").text(&shortened(&one.passage));
            main.raw("</span></a></li>");
        }
        main.raw("</ul>");
        if !named.is_empty() {
            site.links(&mut main, named.iter().copied());
        }
    }
    let query: String = byte_serialize(typed.as_bytes()).collect();
    let head = Head {
        title: format!("{typed} · {}", site.title()),
        description: "",
        canonical: None,
        alternates: alternates(site, |language| format!("?lang={language}&q={query}")),
    };
    site.page(&head, &main)
}

/// A link to a page of a category.
pub(super) fn category_link(site: &Site<'_>, name: &str, number: usize) -> String {
    format!("{}{}{}", site.root, site.key, below_category(site.language, name, number))
}

fn below_category(language: &str, name: &str, number: usize) -> String {
    let name: String = byte_serialize(name.as_bytes()).collect();
    let page = if number > 1 { format!("&page={number}") } else { String::new() };
    format!("?lang={language}&category={name}{page}")
}

fn alternates(site: &Site<'_>, below: impl Fn(&str) -> String) -> Vec<(String, String)> {
    site.languages
        .iter()
        .take(LANGUAGES_MAX)
        .map(|language| (language.clone(), below(language)))
        .collect()
}

fn shortened(passage: &str) -> String {
    let passage = passage.replace('\n', " ");
    match passage.char_indices().nth(PASSAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", passage[..end].trim_end()),
        None => passage,
    }
}
