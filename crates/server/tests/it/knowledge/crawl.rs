//! A help centre elsewhere that is taken over: a site of this machine, which the guard lets nobody ask unless the
//! operator says so (S18).

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use frontdesk_testkit::{Http, TestServer};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{article, text};
use crate::{FRONTDESK, eventually};

/// A small site that remembers what it was asked for.
struct Site {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Serves these paths; `$SITE` in a page is the site's own address.
    async fn serve(pages: &[(&'static str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let own = format!("http://{address}");
        let pages: BTreeMap<&str, String> =
            pages.iter().map(|(path, page)| (*path, page.replace("$SITE", &own))).collect();
        let noted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (pages, noted) = (pages.clone(), Arc::clone(&noted));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = socket.read_u8().await else { return };
                        head.push(byte);
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    noted.lock().push(path.clone());
                    let kind = if path.contains(".xml") { "application/xml" } else { "text/html" };
                    let answer = match pages.get(path.as_str()) {
                        Some(page) if page.starts_with("301 ") => {
                            format!("HTTP/1.1 301 Moved\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", &page[4..])
                        }
                        Some(page) => format!(
                            "HTTP/1.1 200 OK\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
                            page.len()
                        ),
                        None => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
                    };
                    drop(socket.write_all(answer.as_bytes()).await);
                });
            }
        });
        Self { address, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn was_asked(&self, path: &str) -> bool {
        self.asked.lock().iter().any(|asked| asked == path)
    }
}

fn page(title: &str, words: &str) -> String {
    format!(
        "<html lang=en><head><title>{title} | Shop</title></head><body><nav>Menu</nav><main><h1>{title}</h1>\
         <p>{words}, which is what this page has to say about it in a sentence that is long enough.</p></main></body></html>"
    )
}

/// A server that may ask this machine.
async fn open_server() -> TestServer {
    TestServer::builder(FRONTDESK)
        .set("outgoing.allow", r#"["127.0.0.1/32"]"#)
        .set("outgoing.any_port", true)
        .start()
        .await
}

async fn crawled(admin: &Http, sitemap: &str) -> Value {
    let started = admin.post("/api/v1/articles/crawl", &json!({"sitemap": sitemap})).await;
    assert_eq!(started.status, 202, "{}", started.text);
    ended(admin).await
}

async fn ended(admin: &Http) -> Value {
    let mut state = Value::Null;
    eventually(Duration::from_secs(30), "the crawl ends", async || {
        state = admin.get("/api/v1/articles/crawl").await.ok();
        state["state"] != "running"
    })
    .await;
    state
}

#[tokio::test]
async fn the_pages_of_a_sitemap_become_articles() {
    let (pay, moved, other) = (page("Paying", "By card"), "301 /pay.html", page("Other", "x"));
    let site = Site::serve(&[
        ("/robots.txt", "User-agent: *\nDisallow: /private\n"),
        (
            "/sitemap.xml",
            "<sitemapindex><sitemap><loc>$SITE/pages.xml</loc></sitemap></sitemapindex>",
        ),
        (
            "/pages.xml",
            "<urlset><url><loc>$SITE/pay.html</loc></url><url><loc>$SITE/private/a</loc></url>\
             <url><loc>$SITE/gone</loc></url><url><loc>$SITE/moved</loc></url>\
             <url><loc>http://other.example/x</loc></url></urlset>",
        ),
        ("/pay.html", &pay),
        ("/private/a", &other),
        ("/moved", moved),
    ])
    .await;
    let server = open_server().await;
    let admin = server.admin();
    assert_eq!(admin.get("/api/v1/articles/crawl").await.ok()["state"], "idle");
    let done = crawled(&admin, &site.url("/sitemap.xml")).await;
    assert_eq!(
        (done["state"].as_str(), done["added"].clone(), done["pages"].clone()),
        (Some("done"), json!(1), json!(1)),
        "{done}"
    );
    let problems: Vec<String> =
        done["problems"].as_array().expect("problems").iter().map(ToString::to_string).collect();
    for (part, why) in [("/private/a", "robots.txt"), ("/gone", "404"), ("/moved", "redirect")] {
        assert!(
            problems.iter().any(|of| of.contains(part) && of.contains(why)),
            "{part}: {problems:?}"
        );
    }
    assert!(!site.was_asked("/private/a"), "what is forbidden is not asked for");
    let page = admin.get("/api/v1/articles?q=pay").await.ok();
    let article = &page["articles"][0];
    assert_eq!(
        (article["slug"].as_str(), article["state"].as_str()),
        (Some("pay"), Some("draft")),
        "{page}"
    );
    assert_eq!(article["texts"]["en"]["title"], "Paying");
    assert!(text(&article["texts"]["en"]["body"]).contains("By card"));
    let again = crawled(&admin, &site.url("/sitemap.xml")).await;
    assert_eq!(again["added"], 0, "nothing is new: {again}");
}

#[tokio::test]
async fn what_the_team_wrote_or_published_is_left_alone() {
    let (pay, send) = (page("Paying", "By card"), page("Sending", "By post"));
    let site = Site::serve(&[
        (
            "/sitemap.xml",
            "<urlset><url><loc>$SITE/pay.html</loc></url><url><loc>$SITE/send.html</loc></url></urlset>",
        ),
        ("/pay.html", &pay),
        ("/send.html", &send),
    ])
    .await;
    let server = open_server().await;
    let admin = server.admin();
    let ours = article("pay", "How we want to be paid", "In shells.");
    let ours = admin.post("/api/v1/articles", &ours).await.ok();
    let done = crawled(&admin, &site.url("/sitemap.xml")).await;
    assert_eq!((done["state"].as_str(), done["added"].clone()), (Some("done"), json!(1)), "{done}");
    let told = |done: &Value, page: &str| {
        let problems = done["problems"].as_array().expect("problems").iter();
        let mut about = problems.filter(|of| text(&of["file"]).ends_with(page));
        about.next().map(|of| (text(&of["code"]), of["params"].clone())).unwrap_or_default()
    };
    let pay_is = |code: &str| (code.to_owned(), json!({"slug": "pay"}));
    assert_eq!(told(&done, "pay.html"), pay_is("article_own"), "{done}");
    let now = admin.get(&format!("/api/v1/articles/{}", text(&ours["id"]))).await.ok();
    assert_eq!(now, ours);
    // What came from the site is the site's, until its words are changed or it is published.
    let page = admin.get("/api/v1/articles?q=send").await.ok();
    let theirs = &page["articles"][0];
    assert_eq!(theirs["origin"], site.url(""), "{page}");
    let path = format!("/api/v1/articles/{}", text(&theirs["id"]));
    let change = |state: &str, body: &str, revision: u64| {
        let texts = json!({"en": {"title": "Sending", "body": body}});
        json!({"slug": "send", "state": state, "texts": texts, "revision": revision})
    };
    let mine = admin.put(&path, &change("draft", "By pigeon.", 1)).await.ok();
    assert_eq!(mine["origin"], "", "{mine}");
    let done = crawled(&admin, &site.url("/sitemap.xml")).await;
    let send_is = ("article_own".to_owned(), json!({"slug": "send"}));
    assert_eq!((done["added"].clone(), told(&done, "send.html")), (json!(0), send_is), "{done}");
    assert_eq!(admin.get(&path).await.ok(), mine);
    // A draft from files is the files'.
    assert_eq!(admin.delete(&path).await.status, 204);
    let files = json!([{"name": "send.md", "text": "# Sending\n\nBy ship."}]);
    let import = json!({"format": "markdown", "files": files});
    assert_eq!(admin.post("/api/v1/articles/import", &import).await.ok()["added"], 1);
    let done = crawled(&admin, &site.url("/sitemap.xml")).await;
    let send_is = ("article_elsewhere".to_owned(), json!({"slug": "send"}));
    assert_eq!((done["added"].clone(), told(&done, "send.html")), (json!(0), send_is), "{done}");
}

#[tokio::test]
async fn s18_this_machine_and_other_schemes_are_not_asked() {
    let site = Site::serve(&[("/sitemap.xml", "<urlset/>")]).await;
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    for address in [
        site.url("/sitemap.xml").as_str(),
        "http://127.0.0.1/sitemap.xml",
        "http://[::1]/sitemap.xml",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/sitemap.xml",
        "http://2130706433/sitemap.xml",
        "https://user:secret@shop.example/sitemap.xml",
        "file:///etc/passwd",
        "ftp://shop.example/sitemap.xml",
        "sitemap.xml",
    ] {
        let refused = admin.post("/api/v1/articles/crawl", &json!({"sitemap": address})).await;
        assert_eq!(refused.status, 422, "{address}: {}", refused.text);
        assert_eq!(refused.json()["field"], "sitemap", "{}", refused.text);
    }
    // A name is asked for its addresses only when it is used, and those are checked then.
    let named = json!({"sitemap": "http://localhost/sitemap.xml"});
    let started = admin.post("/api/v1/articles/crawl", &named).await;
    if started.status == 202 {
        let failed = ended(&admin).await;
        assert_eq!(failed["state"], "failed", "{failed}");
    } else {
        assert_eq!(started.status, 422, "{}", started.text);
    }
    assert!(site.asked.lock().is_empty(), "{:?}", site.asked.lock());
}

#[tokio::test]
async fn one_crawl_runs_at_a_time_and_can_be_stopped() {
    let urls: Vec<_> = (0..400).map(|n| format!("<url><loc>$SITE/p{n}</loc></url>")).collect();
    let urls = urls.concat();
    let site = Site::serve(&[("/sitemap.xml", &format!("<urlset>{urls}</urlset>"))]).await;
    let server = open_server().await;
    let admin = server.admin();
    let start = json!({"sitemap": site.url("/sitemap.xml"), "pages_max": 400});
    assert_eq!(admin.post("/api/v1/articles/crawl", &start).await.status, 202);
    let second = admin.post("/api/v1/articles/crawl", &start).await;
    assert_eq!((second.status, second.code().as_str()), (409, "too_many"));
    assert_eq!(admin.delete("/api/v1/articles/crawl").await.status, 204);
    let stopped = ended(&admin).await;
    assert_eq!(
        (stopped["state"].as_str(), stopped["error"].as_str()),
        (Some("failed"), Some("it was stopped"))
    );
    for pages_max in [0, 501] {
        let bad = json!({"sitemap": site.url("/sitemap.xml"), "pages_max": pages_max});
        let refused = admin.post("/api/v1/articles/crawl", &bad).await;
        assert_eq!(refused.json()["field"], "pages_max", "{}", refused.text);
    }
    let other = json!({"sitemap": site.url("/nothing.xml")});
    assert_eq!(admin.post("/api/v1/articles/crawl", &other).await.status, 202);
    let failed = ended(&admin).await;
    assert!(text(&failed["error"]).contains("the sitemap cannot be read"), "{failed}");
}
