//! The help centre as visitors' browsers see it: plain requests, no script.

use frontdesk_testkit::{TestServer, http::Answer};
use reqwest::{Method, redirect::Policy};
use serde_json::{Value, json};

use super::{article, text, with};
use crate::FRONTDESK;

struct Centre {
    server: TestServer,
    /// `/help/KEY`
    path: String,
}

impl Centre {
    /// A help centre with one article in both languages, one in English, and a draft.
    async fn open() -> Self {
        let server = TestServer::start(FRONTDESK).await;
        let admin = server.admin();
        let chinese = json!({"title": "怎样退款？", "summary": "退款步骤", "body": "七天内可退。"});
        let mut refunds = article(
            "refunds",
            "How do I get a refund?",
            "Within **seven** days. See [paying](paying.md).",
        );
        refunds["texts"]["zh-CN"] = chinese;
        refunds["texts"]["en"]["summary"] = "Steps of a refund".into();
        for body in [
            refunds,
            article("paying", "How do I pay?", "By card."),
            with(article("secret", "A secret plan", "Nobody knows."), &json!({"state": "draft"})),
        ] {
            admin.post("/api/v1/articles", &body).await.ok();
        }
        let path = format!("/help/{}", server.installed.inbox_key);
        Self { server, path }
    }

    async fn page(&self, below: &str) -> Answer {
        self.server.http.get(&format!("{}{below}", self.path)).await
    }

    async fn page_for(&self, below: &str, language: &str) -> Answer {
        let http = &self.server.http;
        let request = http.request(Method::GET, &format!("{}{below}", self.path));
        http.send(request.header("Accept-Language", language)).await
    }

    /// What a form of the page sends; redirects are not followed.
    async fn vote(&self, slug: &str, helpful: &str, agent: &str) -> Answer {
        let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build();
        let url = format!("{}{}/en/{slug}/feedback", self.server.base(), self.path);
        let request = client.expect("a client").post(url).header("User-Agent", agent);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        self.server.http.send(request.body(format!("helpful={helpful}"))).await
    }

    async fn votes(&self, slug: &str) -> (Value, Value) {
        let admin = self.server.admin();
        let page = admin.get(&format!("/api/v1/articles?q={slug}")).await.ok();
        let article = &page["articles"][0];
        (article["helpful"].clone(), article["unhelpful"].clone())
    }
}

fn header(answer: &Answer, name: &str) -> String {
    let value = answer.headers.get(name).unwrap_or_else(|| panic!("no {name}"));
    value.to_str().expect("it is a text").to_owned()
}

#[tokio::test]
async fn pages_speak_the_readers_language_and_say_so() {
    let centre = Centre::open().await;
    let english = centre.page_for("", "en-GB,en;q=0.9").await;
    assert_eq!(english.status, 200);
    assert!(
        english.text.contains("<html lang=\"en\">") && english.text.contains("How can we help?")
    );
    assert!(english.text.contains("How do I get a refund?"));
    let chinese = centre.page_for("", "zh-TW,zh;q=0.9,en;q=0.8").await;
    assert!(chinese.text.contains("<html lang=\"zh-CN\">") && chinese.text.contains("怎样退款？"));
    assert!(chinese.text.contains("How do I pay?"), "what has no Chinese text is shown in English");
    let asked = centre.page_for("?lang=zh-CN", "en").await;
    assert!(asked.text.contains("<html lang=\"zh-CN\">"), "the address says more than the browser");

    let cut = centre.page_for("/zh-CN", "en").await;
    assert!(
        cut.text.contains("<html lang=\"zh-CN\">"),
        "an address without its slug: {}",
        cut.text
    );

    let shown = centre.page("/zh-CN/refunds").await;
    for part in [
        "<html lang=\"zh-CN\">",
        "七天内可退。",
        "hreflang=\"en\"",
        "<meta name=\"description\" content=\"退款步骤\">",
    ] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    let elsewhere = centre.page("/zh-CN/paying").await;
    assert!(elsewhere.text.contains("<html lang=\"en\">"), "it leads to the language there is");
    let article = centre.page("/en/refunds").await;
    let canonical =
        format!("rel=\"canonical\" href=\"{}{}/en/refunds\"", centre.server.base(), centre.path);
    assert!(article.text.contains(&canonical), "{}", article.text);
    assert!(article.text.contains("<a href=\"paying\">paying</a>"), "a link to another article");
    assert!(article.text.contains("Related articles"), "{}", article.text);
}

#[tokio::test]
async fn no_page_needs_a_script_or_a_cookie_or_takes_anything_from_elsewhere() {
    let centre = Centre::open().await;
    for below in ["", "?q=refund", "?category=Orders&lang=en", "/en/refunds", "/en/nothing"] {
        let page = centre.page(below).await;
        assert!(!page.text.contains("<script"), "{below}");
        assert!(!page.headers.contains_key("set-cookie"), "{below}");
        let policy = header(&page, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self' 'sha256-"), "{policy}");
        for source in ["unsafe", "script-src", "http:", "https:", "data:"] {
            assert!(!policy.contains(source), "{policy}");
        }
        assert_eq!(header(&page, "x-content-type-options"), "nosniff");
    }
    let sheet = centre.server.http.get("/help.css").await;
    assert_eq!(
        (sheet.status, header(&sheet, "content-type").as_str()),
        (200, "text/css; charset=utf-8")
    );
    assert!(!sheet.text.contains("url("));
}

#[tokio::test]
async fn a_page_that_is_known_is_not_sent_again() {
    let centre = Centre::open().await;
    for below in ["?lang=en", "/en/refunds"] {
        let first = centre.page(below).await;
        let tag = header(&first, "etag");
        let http = &centre.server.http;
        let again = async || {
            let request = http.request(Method::GET, &format!("{}{below}", centre.path));
            http.send(request.header("If-None-Match", &tag)).await
        };
        let known = again().await;
        assert_eq!((known.status, known.text.as_str()), (304, ""), "{below}");
        let admin = centre.server.admin();
        let page = admin.get("/api/v1/articles?q=refunds").await.ok();
        let now = &page["articles"][0];
        let mut change = with(now.clone(), &json!({"revision": now["revision"]}));
        for field in ["id", "origin", "helpful", "unhelpful", "created_ms", "updated_ms"] {
            change.as_object_mut().expect("an object").remove(field);
        }
        change["texts"]["en"]["title"] = format!("Refunds anew {below}").into();
        admin.put(&format!("/api/v1/articles/{}", text(&now["id"])), &change).await.ok();
        crate::eventually(std::time::Duration::from_secs(10), "the new page", async || {
            again().await.status == 200
        })
        .await;
    }
}

#[tokio::test]
async fn a_search_finds_what_is_published() {
    let centre = Centre::open().await;
    let found = centre.page("?lang=en&q=get%20my%20refund").await;
    assert!(found.text.contains("/en/refunds\""), "{}", found.text);
    let chinese = centre.page("?lang=zh-CN&q=%E9%80%80%E6%AC%BE").await;
    assert!(chinese.text.contains("/zh-CN/refunds\""), "{}", chinese.text);
    let part = centre.page("?lang=en&q=refu").await;
    assert!(part.text.contains("/en/refunds\""), "a part of a title: {}", part.text);
    for query in ["xylophone", "secret%20plan"] {
        let nothing = centre.page(&format!("?lang=en&q={query}")).await;
        assert_eq!(nothing.status, 200);
        assert!(nothing.text.contains("Nothing found for"), "{}", nothing.text);
    }
}

#[tokio::test]
async fn drafts_and_unknown_pages_are_not_there() {
    let centre = Centre::open().await;
    for below in [
        "/en/secret",
        "/en/nothing",
        "?category=Nothing",
        "?category=Orders&page=2",
        "/en/..%2f..%2fetc",
    ] {
        let page = centre.page(below).await;
        assert_eq!(page.status, 404, "{below}");
        assert!(page.text.contains("This page does not exist"), "{below}: {}", page.text);
    }
    assert!(!centre.page("").await.text.contains("secret"));
    let nowhere = centre.server.http.get("/help/no-such-key").await;
    assert_eq!(nowhere.status, 404);
    assert!(nowhere.text.contains("This page does not exist"));
    // What is taken back is gone at once.
    let admin = centre.server.admin();
    let page = admin.get("/api/v1/articles?q=paying").await.ok();
    let id = text(&page["articles"][0]["id"]);
    assert_eq!(centre.page("/en/paying").await.status, 200);
    let back = with(
        article("paying", "How do I pay?", "By card."),
        &json!({"state": "draft", "revision": 1}),
    );
    admin.put(&format!("/api/v1/articles/{id}"), &back).await.ok();
    assert_eq!(centre.page("/en/paying").await.status, 404);
}

#[tokio::test]
async fn what_somebody_wrote_into_an_article_or_a_search_does_nothing() {
    let centre = Centre::open().await;
    let attack = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'";
    let mut body = article("attack", attack, &format!("{attack}\n\n[x](javascript:alert(3))"));
    body["category"] = "<b onclick=x>".into();
    body["texts"]["en"]["summary"] = attack.into();
    centre.server.admin().post("/api/v1/articles", &body).await.ok();
    let typed = "%3C%2Ftitle%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27";
    for below in [
        "/en/attack".to_owned(),
        "?lang=en".to_owned(),
        format!("?lang=en&q={typed}"),
        format!("?lang={typed}"),
        format!("?category={typed}"),
    ] {
        let page = centre.page(&below).await.text;
        for tag in ["<script", "<img", "<b ", "javascript:"] {
            assert!(!page.contains(tag), "{below}: {page}");
        }
    }
}

#[tokio::test]
async fn a_reader_is_counted_once_and_may_think_again() {
    let centre = Centre::open().await;
    let first = centre.vote("refunds", "yes", "one").await;
    assert_eq!(
        (first.status, header(&first, "location").as_str()),
        (303, "../refunds?thanks=1#helpful")
    );
    assert!(centre.page("/en/refunds?thanks=1").await.text.contains("Thank you for telling us."));
    assert_eq!(centre.vote("refunds", "yes", "one").await.status, 303);
    assert_eq!(centre.votes("refunds").await, (json!(1), json!(0)), "once");
    centre.vote("refunds", "no", "one").await;
    assert_eq!(centre.votes("refunds").await, (json!(0), json!(1)), "the last word counts");
    centre.vote("refunds", "no", "two").await;
    assert_eq!(
        centre.votes("refunds").await,
        (json!(0), json!(1)),
        "another browser's name, the same reader"
    );
    centre.vote("paying", "yes", "two").await;
    assert_eq!(centre.votes("paying").await, (json!(1), json!(0)), "each article is asked about");
    assert_eq!(centre.vote("refunds", "perhaps", "one").await.status, 422);
    assert_eq!(centre.vote("secret", "yes", "one").await.status, 404);
    assert_eq!(centre.vote("nothing", "yes", "one").await.status, 404);
    let url = format!("{}/en/refunds/feedback", centre.path);
    let http = &centre.server.http;
    let elsewhere = http.request(Method::POST, &url).header("Origin", "https://evil.example");
    let refused = http.send(elsewhere.body("helpful=yes")).await;
    assert_eq!(refused.code(), "origin.refused");
    let long = http.request(Method::POST, &url).body("x".repeat(2_000));
    assert_eq!(http.send(long).await.code(), "request.too_large");
    assert_eq!(centre.votes("refunds").await, (json!(0), json!(1)));
}

#[tokio::test]
async fn it_wears_the_inboxes_colours_and_name() {
    let centre = Centre::open().await;
    let admin = centre.server.admin();
    let inbox = admin.get("/api/v1/inboxes").await.ok()["inboxes"][0].clone();
    let look = with(inbox["look"].clone(), &json!({"accent": "#ff8800"}));
    let change =
        json!({"look": look, "texts": {"title": {"en": "Acme answers", "zh-CN": "艾克米帮助"}}});
    admin.patch(&format!("/api/v1/inboxes/{}", text(&inbox["id"])), &change).await.ok();
    let page = centre.page("?lang=en").await.text;
    assert!(
        page.contains("--accent:#ff8800") && page.contains("<title>Acme answers</title>"),
        "{page}"
    );
    assert!(centre.page("?lang=zh-CN").await.text.contains("艾克米帮助"));
}
