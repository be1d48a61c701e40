//! What a team knows, over the real binary: articles and who may see them, imports, a help centre elsewhere that is
//! taken over, the pages visitors read, what is said of bots and of a language model. How an answer is found is tested
//! where it is done.

mod bots;
mod crawl;
mod eval;
mod help;

use frontdesk_testkit::{Http, TestServer, run_to_end, server::PASSWORD};
use serde_json::{Value, json};

use crate::FRONTDESK;

/// An article in English.
pub(crate) fn article(slug: &str, title: &str, body: &str) -> Value {
    json!({
        "slug": slug, "category": "Orders", "state": "published",
        "texts": {"en": {"title": title, "summary": "", "body": body, "questions": []}},
    })
}

/// A body with something else in it.
fn with(mut body: Value, change: &Value) -> Value {
    let fields = body.as_object_mut().expect("an object");
    fields.extend(change.as_object().expect("an object").clone());
    body
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A second account on the server: requests with its key, and its inbox's.
async fn second_account(server: &mut TestServer) -> (Http, String) {
    server.stop().await;
    let password = server.data_dir().with_extension("brio");
    std::fs::write(&password, PASSWORD).expect("a password file can be written");
    let (data_dir, password) =
        (server.data_dir().display().to_string(), password.display().to_string());
    let init = ["init", "--account", "Brio", "--admin-email", "owner@brio.example", "--json"];
    let place = ["--data-dir", &data_dir, "--admin-password-file", &password];
    let arguments: Vec<&str> = init.into_iter().chain(place).collect();
    let made = run_to_end(FRONTDESK, &arguments, &[]).await;
    assert!(made.status.success(), "{}", made.stderr);
    let made: Value = serde_json::from_str(&made.stdout).expect("init prints JSON");
    server.restart().await;
    (server.http.with_key(&text(&made["api_key"])), text(&made["inbox_key"]))
}

#[tokio::test]
async fn an_article_is_written_changed_found_and_deleted() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let body = article("pay-by-card", "How do I pay by card?", "Choose *card* at the till.");
    let made = admin.post("/api/v1/articles", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.ok();
    let path = format!("/api/v1/articles/{}", text(&made["id"]));
    assert_eq!((made["revision"].clone(), made["helpful"].clone()), (json!(1), json!(0)));
    assert_eq!(admin.get(&path).await.ok(), made);

    let tried = async |question: &str| {
        let body = json!({"question": question, "language": "en"});
        admin.post("/api/v1/articles/try", &body).await.ok()
    };
    let found = tried("how can I pay by card").await;
    assert_eq!(found["outcome"], "answer", "{found}");
    assert_eq!(found["found"][0]["article"], made["id"]);
    assert_eq!(found["found"][0]["slug"], "pay-by-card");

    let change = with(
        article("paying", "How do I pay with a voucher?", "Type its number."),
        &json!({"revision": 1}),
    );
    let changed = admin.put(&path, &change).await.ok();
    assert_eq!((changed["slug"].as_str(), changed["revision"].clone()), (Some("paying"), json!(2)));
    let found = tried("can I use a voucher to pay").await;
    assert_eq!(found["found"][0]["slug"], "paying", "what was changed is found at once: {found}");
    let late = admin.put(&path, &change).await;
    assert_eq!((late.status, late.code().as_str()), (412, "request.precondition"));

    let taken = admin.post("/api/v1/articles", &article("paying", "Another", "x")).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "name.taken"));
    for (bad, field) in [
        (json!({"slug": "a/b"}), "slug"),
        (json!({"texts": {}}), "texts"),
        (json!({"texts": {"zh": {"title": "x"}}}), "texts.zh"),
        (json!({"texts": {"en": {"title": " "}}}), "texts.en.title"),
    ] {
        let refused = admin.post("/api/v1/articles", &with(body.clone(), &bad)).await;
        assert_eq!(refused.status, 422, "{bad}: {}", refused.text);
        assert_eq!(refused.json()["field"], field, "{}", refused.text);
    }

    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.get(&path).await.status, 404);
    assert_eq!(tried("how can I pay by card").await["found"], json!([]));
}

#[tokio::test]
async fn a_list_is_searched_filtered_and_comes_in_pages() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let rows: Vec<_> =
        (0..120).map(|n| format!("Question {n:03}?,Answer {n}.,Bulk,q-{n:03}\n")).collect();
    let rows = rows.concat();
    let file = json!({"name": "faq.csv", "text": format!("question,answer,category,slug\n{rows}")});
    let import = json!({"format": "csv", "files": [file], "publish": true});
    let imported = admin.post("/api/v1/articles/import", &import).await.ok();
    assert_eq!(imported["added"], 120, "{imported}");
    let draft = with(article("draft", "Not yet", "x"), &json!({"state": "draft"}));
    admin.post("/api/v1/articles", &draft).await.ok();

    let mut slugs = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("/api/v1/articles?category=Bulk&cursor={cursor}")).await.ok();
        let articles = page["articles"].as_array().expect("articles");
        assert!(articles.len() <= 50);
        slugs.extend(articles.iter().map(|article| text(&article["slug"])));
        let Some(next) = page["next"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    let all: Vec<_> = (0..120).map(|n| format!("q-{n:03}")).collect();
    assert_eq!(slugs, all);
    let some = async |query: &str| -> Vec<String> {
        let page = admin.get(&format!("/api/v1/articles?{query}")).await.ok();
        let articles = page["articles"].as_array().expect("articles");
        articles.iter().map(|article| text(&article["slug"])).collect()
    };
    assert_eq!(some("state=draft").await, ["draft"]);
    assert_eq!(some("q=question%20077").await, ["q-077"]);
    assert_eq!(some("category=Nothing").await, Vec::<String>::new());
    let bad = admin.get("/api/v1/articles?cursor=!!").await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "request.cursor"));
    assert_eq!(admin.get("/api/v1/articles?state=x").await.status, 422);
}

#[tokio::test]
async fn everybody_of_the_team_reads_and_only_some_write() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let made = admin.post("/api/v1/articles", &article("a", "A", "x")).await.ok();
    let path = format!("/api/v1/articles/{}", text(&made["id"]));
    for (role, may) in [("agent", false), ("supervisor", true)] {
        let email = format!("{role}@acme.example");
        admin.create_user(&email, role, role).await;
        let user = server.http.sign_in(&email).await;
        assert_eq!(user.get(&path).await.ok(), made, "{role}");
        let wrote = user.post("/api/v1/articles", &article(role, "B", "x")).await;
        assert_eq!(wrote.status, if may { 201 } else { 403 }, "{role}: {}", wrote.text);
        assert_eq!(user.get("/api/v1/bot").await.code(), "right.missing", "{role}");
        assert_eq!(user.get("/api/v1/llm").await.code(), "right.missing", "{role}");
    }
}

#[tokio::test]
async fn another_account_sees_none_of_it() {
    let mut server = TestServer::start(FRONTDESK).await;
    let (brio, brio_inbox) = second_account(&mut server).await;
    let acme = server.admin();
    let body = article("planted", "A planted title", "A planted body about zeppelins.");
    let made = acme.post("/api/v1/articles", &body).await.ok();
    let path = format!("/api/v1/articles/{}", text(&made["id"]));
    assert_eq!(brio.get(&path).await.status, 404);
    let change = with(body.clone(), &json!({"revision": 1}));
    assert_eq!(brio.put(&path, &change).await.status, 404);
    assert_eq!(brio.delete(&path).await.status, 404);
    assert_eq!(brio.get("/api/v1/articles").await.ok()["articles"], json!([]));
    let question = json!({"question": "A planted title about zeppelins", "language": "en"});
    let tried = brio.post("/api/v1/articles/try", &question).await.ok();
    assert_eq!(tried["found"], json!([]), "{tried}");
    let pages = [
        format!("/help/{brio_inbox}"),
        format!("/help/{brio_inbox}?q=zeppelins"),
        format!("/help/{brio_inbox}/en/planted"),
    ];
    for page in pages {
        let shown = server.http.get(&page).await;
        assert!(!shown.text.contains("A planted"), "{page}: {}", shown.text);
    }
    let own = brio.post("/api/v1/articles", &article("planted", "Mine", "x")).await;
    assert_eq!(own.status, 201, "each account has its own slugs: {}", own.text);
    assert_eq!(acme.get(&path).await.ok(), made);
}

#[tokio::test]
async fn files_are_imported_and_what_is_wrong_has_its_line() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let import = async |format: &str, files: Value, publish: bool| {
        let body = json!({"format": format, "files": files, "publish": publish});
        admin.post("/api/v1/articles/import", &body).await.ok()
    };
    let files = json!([
        {"name": "docs/en/refunds.md", "text": "---\ncategory: Money\nquestions:\n  - where is my money\n---\n# Refunds\n\nThree days."},
        {"name": "docs/zh-CN/refunds.md", "text": "# 退款\n\n三天。"},
        {"name": "bad.md", "text": "---\ntitle: \"open\n---\nx"},
    ]);
    let first = import("markdown", files.clone(), false).await;
    assert_eq!(
        (first["added"].clone(), first["unchanged"].clone()),
        (json!(1), json!(0)),
        "{first}"
    );
    let problems = first["problems"].as_array().expect("problems");
    assert_eq!(problems.len(), 1, "{first}");
    assert_eq!(
        (problems[0]["file"].as_str(), problems[0]["line"].clone()),
        (Some("bad.md"), json!(2))
    );
    let page = admin.get("/api/v1/articles?q=refunds").await.ok();
    let article = &page["articles"][0];
    assert_eq!(
        (article["state"].as_str(), article["category"].as_str()),
        (Some("draft"), Some("Money"))
    );
    assert_eq!(article["texts"]["zh-CN"]["title"], "退款", "{article}");
    assert_eq!(article["texts"]["en"]["questions"], json!(["where is my money"]));

    let again = import("markdown", files.clone(), false).await;
    assert_eq!(
        (again["changed"].clone(), again["unchanged"].clone()),
        (json!(0), json!(1)),
        "{again}"
    );
    let published = import("markdown", files, true).await;
    assert_eq!(published["changed"], 1, "{published}");

    let table = "question,answer\nHow long?,Two days.\n,nothing asked\nWhere?,\n";
    let rows = import("csv", json!([{"name": "faq.csv", "text": table}]), true).await;
    assert_eq!(rows["added"], 1, "{rows}");
    let lines: Vec<_> = rows["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|of| of["line"].clone())
        .collect();
    assert_eq!(lines, [json!(3), json!(4)], "{rows}");
}

#[tokio::test]
async fn an_import_changes_what_an_import_brought_and_nothing_else() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let import = async |words: &str| {
        let file = |name: &str| json!({"name": name, "text": format!("# {name}\n\n{words}")});
        let files = json!([file("ours.md"), file("theirs.md"), file("edited.md")]);
        let body = json!({"format": "markdown", "files": files, "publish": true});
        admin.post("/api/v1/articles/import", &body).await.ok()
    };
    let by_slug = async |slug: &str| {
        let page = admin.get(&format!("/api/v1/articles?q={slug}")).await.ok();
        page["articles"][0].clone()
    };
    let ours = article("ours", "How we want to be paid", "In shells.");
    let ours = admin.post("/api/v1/articles", &ours).await.ok();
    let first = import("One.").await;
    assert_eq!((&first["added"], &first["changed"]), (&json!(2), &json!(0)), "{first}");
    let problem = json!({
        "file": "ours.md", "code": "article_own", "params": {"slug": "ours"},
        "reason": "slug taken by an article of your own: ours",
    });
    assert_eq!(first["problems"], json!([problem]), "{first}");
    assert_eq!(by_slug("ours").await, ours, "not a word of it is changed");

    // Somebody corrects the words of one, and of another only where it stands.
    let (theirs, edited) = (by_slug("theirs").await, by_slug("edited").await);
    assert_eq!((&theirs["origin"], &edited["origin"]), (&json!("files"), &json!("files")));
    let change = async |of: &Value, body: &str, category: &str| {
        let texts = with(of["texts"].clone(), &json!({"en": {"title": "T", "body": body}}));
        let texts = if body.is_empty() { of["texts"].clone() } else { texts };
        let (slug, revision) = (of["slug"].clone(), of["revision"].clone());
        let body = json!({"slug": slug, "category": category, "state": "published",
            "texts": texts, "revision": revision});
        admin.put(&format!("/api/v1/articles/{}", text(&of["id"])), &body).await.ok()
    };
    assert_eq!(change(&theirs, "", "Moved").await["origin"], "files");
    let edited = change(&edited, "Corrected.", "").await;
    assert_eq!(edited["origin"], "", "{edited}");
    let second = import("Two.").await;
    assert_eq!((&second["added"], &second["changed"]), (&json!(0), &json!(1)), "{second}");
    let left: Vec<_> =
        second["problems"].as_array().expect("problems").iter().map(|of| &of["file"]).collect();
    assert_eq!(left, ["ours.md", "edited.md"], "{second}");
    assert_eq!(by_slug("edited").await, edited);
    assert_eq!(by_slug("theirs").await["texts"]["en"]["body"], "Two.");
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_a_large_import_can_be_repeated() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let five_mb = "x".repeat(5_000_000);
    let refused = admin.post("/api/v1/articles", &article("large", "Large", &five_mb)).await;
    assert_eq!((refused.status, refused.code().as_str()), (413, "request.too_large"));
    let body = "x".repeat((256 << 10) + 1);
    let refused = admin.post("/api/v1/articles", &article("large", "Large", &body)).await;
    assert_eq!((refused.status, refused.json()["field"].as_str()), (422, Some("texts.en.body")));
    let most = "x".repeat(256 << 10);
    assert_eq!(admin.post("/api/v1/articles", &article("most", "Most", &most)).await.status, 201);

    let files: Vec<_> = (0..10)
        .map(|n| json!({"name": format!("large-{n}.md"), "text": format!("# T\n\n{}", "y".repeat(200_000))}))
        .collect();
    let import = json!({"format": "markdown", "files": files, "publish": false});
    let again = async || {
        let request = admin.request(reqwest::Method::POST, "/api/v1/articles/import");
        admin.send(request.header("Idempotency-Key", "once").json(&import)).await
    };
    let first = again().await.ok();
    assert_eq!(first["added"], 10, "{first}");
    assert_eq!(again().await.ok(), first, "the first answer again");
    let text = "z".repeat(9 << 20);
    let import = json!({"format": "markdown", "files": [{"name": "a.md", "text": text}]});
    assert_eq!(admin.post("/api/v1/articles/import", &import).await.status, 413);
}
