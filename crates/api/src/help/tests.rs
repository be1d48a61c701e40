//! What the pages say and how they link, without a server.

use std::{collections::BTreeMap, sync::LazyLock};

use frontdesk_catalog::{Article, ArticleState, ArticleText};
use frontdesk_core::id::ArticleId;

use super::*;

const LANGUAGES: [&str; 2] = ["en", "zh-CN"];

/// What categories are called in Chinese.
static CATEGORIES: LazyLock<Categories> = LazyLock::new(|| {
    let mut categories = Categories::default();
    let mut article = an_article("Paying");
    for name in ["付款与退款", "heard too late"] {
        article.texts.get_mut("zh-CN").expect("it is there").category = name.to_owned();
        categories.learn(&article);
    }
    categories
});

fn languages() -> Vec<String> {
    LANGUAGES.map(str::to_owned).to_vec()
}

fn site<'a>(root: &'static str, language: &'a str, languages: &'a [String]) -> Site<'a> {
    Site {
        key: "k1",
        name: "Acme & Söhne",
        accent: "#ff8800",
        root,
        outside: "https://shop.example/chat",
        language,
        languages,
        categories: &CATEGORIES,
    }
}

fn text(title: &str) -> ArticleText {
    ArticleText {
        title: title.to_owned(),
        summary: format!("About {title}"),
        body: "One **two** [three](other-page.md).".to_owned(),
        ..ArticleText::default()
    }
}

fn an_article(title: &str) -> Article {
    Article {
        id: ArticleId::from_bytes([1; 12]),
        slug: "pay-by-card".to_owned(),
        category: "Money".to_owned(),
        state: ArticleState::Published,
        texts: BTreeMap::from([("en".to_owned(), text(title)), ("zh-CN".to_owned(), text("付款"))]),
        origin: String::new(),
        helpful: 0,
        unhelpful: 0,
        revision: 1,
        created_ms: 0,
        updated_ms: 1_764_460_800_000,
    }
}

fn heading(slug: &str, category: &str, languages: &[&str]) -> Heading {
    let texts = languages
        .iter()
        .map(|language| ((*language).to_owned(), (format!("{slug} in {language}"), String::new())));
    Heading {
        id: ArticleId::from_bytes([2; 12]),
        slug: slug.to_owned(),
        category: category.to_owned(),
        texts: texts.collect(),
    }
}

#[test]
fn an_article_is_a_whole_page_with_links_that_work_under_any_prefix() {
    let languages = languages();
    let site = site("../../", "en", &languages);
    let article_in = an_article("Paying");
    let related = [heading("refunds", "Money", &["en"])];
    let page = article(&site, &article_in, &article_in.texts["en"], &related, Said::Nothing).html;
    for part in [
        "<html lang=\"en\">",
        "<title>Paying · Acme &amp; Söhne</title>",
        "<meta name=\"description\" content=\"About Paying\">",
        "<link rel=\"canonical\" href=\"https://shop.example/chat/help/k1/en/pay-by-card\">",
        "<link rel=\"alternate\" hreflang=\"zh-CN\" href=\"https://shop.example/chat/help/k1/zh-CN/pay-by-card\">",
        "href=\"../../../help.css?v=",
        "<a href=\"../../k1?lang=en&amp;category=Money\">Money</a>",
        "<strong>two</strong>",
        "<a href=\"other-page\">three</a>",
        "<form method=\"post\" action=\"pay-by-card/feedback\">",
        "<a href=\"../../k1/en/refunds\">",
        "<a href=\"../../../c/k1\">",
        "<time datetime=\"2025-11-30\">",
        "lang=\"zh-CN\" hreflang=\"zh-CN\">简体中文</a>",
        "--accent:#ff8800",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("<script"), "{page}");
    let thanked = article(&site, &article_in, &article_in.texts["en"], &[], Said::Thanks).html;
    assert!(thanked.contains("role=\"status\"") && !thanked.contains("<form method=\"post\""));
}

#[test]
fn the_policy_names_the_style_of_the_page() {
    let languages = languages();
    let page = home(&site("", "en", &languages), &[]);
    let style = page.html.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next());
    let hash = base64(&Sha256::digest(style.expect("it has a style").as_bytes()));
    assert_eq!(page.style_hash, hash);
}

#[test]
fn the_first_page_has_categories_and_says_where_there_is_more() {
    let languages = languages();
    let mut headings: Vec<_> =
        (0..8).map(|number| heading(&format!("a{number}"), "Orders", &["en"])).collect();
    headings.insert(0, heading("lost", "", &["zh-CN"]));
    let page = home(&site("", "en", &languages), &headings).html;
    assert!(page.contains("<a href=\"k1/en/a5\">") && !page.contains("<a href=\"k1/en/a6\">"));
    assert!(page.contains("<a href=\"k1?lang=en&amp;category=Orders\">All articles (8)</a>"));
    let elsewhere = "<a href=\"k1/zh-CN/lost\" lang=\"zh-CN\" hreflang=\"zh-CN\">";
    assert!(page.contains(elsewhere), "what is in no other language is shown in its own: {page}");
    assert!(page.find("Orders") < page.find("More articles"), "what has no category comes last");
    let empty = home(&site("", "zh-CN", &languages), &[]).html;
    assert!(empty.contains("<html lang=\"zh-CN\">") && empty.contains("这里还没有内容"));
}

#[test]
fn the_first_page_is_bounded_and_says_where_the_rest_is() {
    let languages = languages();
    let all = |categories: usize| -> Vec<Heading> {
        (0..categories)
            .map(|number| heading(&format!("a{number}"), &format!("C{number:03}"), &["en"]))
            .collect()
    };
    let page = home(&site("", "en", &languages), &all(100)).html;
    assert!(page.contains("k1/en/a99\"") && !page.contains("There is more"), "{page}");
    let page = home(&site("", "en", &languages), &all(101)).html;
    assert!(page.contains("k1/en/a99\"") && !page.contains("k1/en/a100\""), "{page}");
    assert!(page.contains("There is more than this page shows."), "{page}");
    let many: Vec<String> = (0..200).map(|number| format!("x{number}")).collect();
    let page = home(&site("", "en", &many), &all(1)).html;
    assert!(page.matches("hreflang").count() <= 2 * 50, "{page}");
}

#[test]
fn a_category_is_called_as_its_reader_says() {
    let languages = languages();
    let headings = [heading("a", "Money", &["en", "zh-CN"]), heading("b", "Orders", &["zh-CN"])];
    let refs: Vec<&Heading> = headings.iter().take(1).collect();
    let chinese = site("", "zh-CN", &languages);
    let page = home(&chinese, &headings).html;
    assert!(page.contains("<a href=\"k1?lang=zh-CN&amp;category=Money\">付款与退款</a>"), "{page}");
    assert!(page.contains(">Orders</a>"), "what has no name in the language has its own: {page}");
    let page = category(&chinese, "Money", &refs, 1).html;
    assert!(
        page.contains("<h1>付款与退款</h1>") && page.contains("<title>付款与退款 · "),
        "{page}"
    );
    let of = an_article("Paying");
    let page = article(&chinese, &of, &of.texts["zh-CN"], &[], Said::Nothing).html;
    assert!(page.contains(">付款与退款</a>"), "{page}");
    let page = home(&site("", "en", &languages), &headings).html;
    assert!(page.contains(">Money</a>") && !page.contains("付款与退款"), "{page}");
}

#[test]
fn a_large_category_comes_in_pages() {
    let languages = languages();
    let all: Vec<_> =
        (0..120).map(|number| heading(&format!("a{number}"), "R&D", &["en"])).collect();
    let all: Vec<&Heading> = all.iter().collect();
    let page = category(&site("", "en", &languages), "R&D", &all, 2).html;
    assert!(page.contains("k1/en/a50\"") && page.contains("k1/en/a99\""));
    assert!(!page.contains("k1/en/a49\"") && !page.contains("k1/en/a100\""));
    assert!(page.contains("rel=\"prev\" href=\"k1?lang=en&amp;category=R%26D\""), "{page}");
    assert!(page.contains("rel=\"next\" href=\"k1?lang=en&amp;category=R%26D&amp;page=3\""));
    assert!(page.contains("2 / 3"));
}

#[test]
fn what_readers_and_writers_put_in_stays_a_text() {
    let languages = languages();
    let attack = "\"><script>alert(1)</script>";
    let mut bad = an_article(attack);
    bad.category = attack.to_owned();
    let text = ArticleText {
        title: attack.to_owned(),
        summary: attack.to_owned(),
        body: format!("{attack}\n\n[x](javascript:alert(1)) <img src=x onerror=alert(1)>"),
        ..ArticleText::default()
    };
    let mut heading = heading("a", attack, &["en"]);
    heading.texts.insert("en".to_owned(), (attack.to_owned(), attack.to_owned()));
    let found = frontdesk_knowledge::Found {
        article: String::new(),
        slug: "a".to_owned(),
        title: attack.to_owned(),
        lang: "en".to_owned(),
        score: 1.0,
        passage: attack.to_owned(),
        words: Vec::new(),
        parts: frontdesk_knowledge::Parts::default(),
    };
    let named = Site { name: attack, accent: attack, ..site("", "en", &languages) };
    let headings = [heading];
    let refs: Vec<&Heading> = headings.iter().collect();
    for page in [
        article(&named, &bad, &text, &headings, Said::Nothing),
        home(&named, &headings),
        category(&named, attack, &refs, 1),
        search(&named, attack, &[found], &refs),
        not_found(&named),
    ] {
        let html = page.html;
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(!html.contains("javascript:"), "{html}");
    }
}

#[test]
fn nothing_found_says_so() {
    let languages = languages();
    let page = search(&site("", "en", &languages), "no<w>", &[], &[]).html;
    assert!(page.contains("Nothing found for <q>no&lt;w&gt;</q>"));
    assert!(page.contains("<meta name=\"robots\" content=\"noindex\">"));
    assert!(page.contains("href=\"k1?lang=zh-CN&amp;q=no%3Cw%3E\""), "{page}");
}
