//! Files in a bucket: the real binary against a store that speaks S3 and checks every signature.

mod double;

use std::{io::Cursor, time::Instant};

use frontdesk_catalog::Catalog;
use frontdesk_testkit::{Http, TestServer, http::Answer, run_to_end, server::ServerBuilder, soon};
use image::{ImageFormat, Rgb, RgbImage};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use self::double::{BUCKET, Double, KEY_ID, Mood, REGION, SECRET};
use crate::FRONTDESK;

fn with_bucket(double: &Double) -> ServerBuilder {
    TestServer::builder(FRONTDESK)
        .set("gateway.loops", 1)
        .set("files.store", "s3")
        .set("files.s3.endpoint", double.endpoint())
        .set("files.s3.region", REGION)
        .set("files.s3.bucket", BUCKET)
        .set("files.s3.prefix", "shop/desk")
        .set("files.s3.access_key_id", KEY_ID)
        .set("files.s3.secret_access_key", SECRET)
        .set("files.s3.allow_http", true)
}

/// A visitor and the conversation it writes in.
struct Visitor {
    http: Http,
    token: String,
    conversation: String,
}

impl Visitor {
    async fn of(server: &TestServer) -> Self {
        let http = Http::new(server.address());
        let request = json!({"kind": "visitor", "inbox_key": server.installed.inbox_key});
        let ticket = http.post("/api/v1/tickets", &request).await.ok();
        let text = |name: &str| ticket[name].as_str().expect("a text").to_owned();
        let (token, conversation) = (text("visitor_token"), text("conversation_id"));
        Self { http: http.with_visitor(&token), token, conversation }
    }

    /// After a restart, on another port.
    fn at(self, server: &TestServer) -> Self {
        Self { http: Http::new(server.address()).with_visitor(&self.token), ..self }
    }

    async fn upload(&self, name: &str, bytes: Vec<u8>) -> Answer {
        let path = format!("/api/v1/conversations/{}/uploads?name={name}", self.conversation);
        let request = self.http.request(Method::POST, &path);
        self.http.send(request.body(bytes)).await
    }

    async fn stored(&self, name: &str, bytes: Vec<u8>) -> Value {
        let answer = self.upload(name, bytes).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text);
        answer.json()
    }

    async fn get(&self, path: &str, range: Option<&str>) -> Response {
        let mut request = self.http.request(Method::GET, path);
        if let Some(range) = range {
            request = request.header("range", range);
        }
        soon("a download", request.send()).await.expect("the server answers")
    }

    async fn bytes(&self, path: &str) -> Vec<u8> {
        let answer = self.get(path, None).await;
        assert_eq!(answer.status(), 200, "{path}");
        soon("the bytes", answer.bytes()).await.expect("all of them").to_vec()
    }
}

fn id(file: &Value) -> String {
    file["id"].as_str().expect("an id").to_owned()
}

/// Where the object of a file lies.
fn object(file: &Value) -> String {
    let id = id(file);
    format!("shop/desk/{}/{id}", &id[..2])
}

fn photo(width: u32, height: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 7 % 256) as u8, (y * 5 % 256) as u8, ((x * y) % 256) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Jpeg).expect("an image");
    bytes.into_inner()
}

/// Text that differs everywhere, so that parts in a wrong order are seen.
fn long_text(bytes: usize) -> Vec<u8> {
    (0..).flat_map(|n: u32| format!("{n:09}\n").into_bytes()).take(bytes).collect()
}

/// What quotas count of the account.
async fn counted(server: &TestServer) -> u64 {
    let catalog = Catalog::open(&server.data_dir().join("catalog.db")).await.expect("it opens");
    let account = server.installed.account_id.parse().expect("an id");
    catalog.file_usage(account).await.expect("it answers").files
}

#[tokio::test]
async fn files_go_into_the_bucket_and_come_back_whole_and_in_parts() {
    let double = Double::start().await;
    let mut server = with_bucket(&double).start().await;
    let visitor = Visitor::of(&server).await;
    let large = long_text(12 << 20);
    let small = visitor.stored("notes.txt", b"plain words".to_vec()).await;
    let picture = visitor.stored("photo.jpg", photo(800, 400)).await;
    let long = visitor.stored("log.txt", large.clone()).await;
    assert_eq!(picture["hasThumbnail"], true);

    let there = double.objects();
    assert_eq!(there[&object(&small)], b"plain words".as_slice(), "when the answer is there");
    assert!(there[&object(&long)] == large, "parts are in order");
    let mut names: Vec<String> = [&small, &picture, &long].map(object).to_vec();
    names.push(format!("{}.thumb", object(&picture)));
    names.push("shop/desk/frontdesk.txt".to_owned());
    names.sort();
    assert_eq!(there.keys().cloned().collect::<Vec<_>>(), names, "nothing else is left");
    assert_eq!(double.open_uploads(), 0);
    assert_eq!(double.complaints(), Vec::<String>::new(), "every request was signed well");
    let parts = double.requests().iter().filter(|request| request.contains("partNumber=")).count();
    assert_eq!(parts, 3, "12 MiB in parts of 5");

    server.stop().await;
    server.restart().await;
    let visitor = visitor.at(&server);
    let path = |file: &Value| format!("/api/v1/files/{}", id(file));
    assert_eq!(visitor.bytes(&path(&small)).await, b"plain words");
    assert!(visitor.bytes(&path(&long)).await == large);
    for (file, size) in [("", (800, 400)), ("/thumbnail", (320, 160))] {
        let bytes = visitor.bytes(&format!("{}{file}", path(&picture))).await;
        let image = image::load_from_memory(&bytes).expect("an image");
        assert_eq!((image.width(), image.height()), size);
    }
    let part = visitor.get(&path(&long), Some("bytes=7000000-7000099")).await;
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], format!("bytes 7000000-7000099/{}", large.len()));
    assert!(part.bytes().await.expect("bytes") == large[7_000_000..7_000_100]);
    let behind = visitor.get(&path(&small), Some("bytes=11-")).await;
    assert_eq!(behind.status(), 416);
    assert_eq!(std::fs::read_dir(server.data_dir().join("files")).map_or(0, Iterator::count), 0);
    assert_eq!(counted(&server).await, 3);

    let message = format!("/api/v1/conversations/{}/messages", visitor.conversation);
    let mut last = Value::Null;
    for file in [&small, &picture, &long] {
        last = visitor.http.post(&message, &json!({"file": id(file)})).await.ok()["seq"].take();
    }
    let erase = format!("/api/v1/conversations/{}/erase", visitor.conversation);
    let range = json!({"from_seq": 1, "to_seq": last});
    assert_eq!(server.admin().post(&erase, &range).await.ok()["files"], 3);
    assert_eq!(double.objects().len(), 1, "only the mark is left");
    assert_eq!(visitor.get(&path(&small), None).await.status(), 404);
    assert_eq!(counted(&server).await, 0);
    assert_eq!(double.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_is_answered_only_once_the_store_has_said_yes() {
    let double = Double::start().await;
    let server = with_bucket(&double).start().await;
    let visitor = Visitor::of(&server).await;
    double.is(Mood::Holding);
    let mut upload = std::pin::pin!(visitor.upload("a.txt", b"words".to_vec()));
    let before = double.requests().len();
    tokio::select! {
        answer = &mut upload => panic!("answered before the store: {}", answer.text),
        () = double.asked(before + 1) => {}
    }
    // A request that comes later is answered; the upload still waits for the store.
    tokio::select! {
        biased;
        answer = &mut upload => panic!("answered before the store: {}", answer.text),
        health = visitor.http.get("/healthz") => assert_eq!(health.status, 200),
    }
    double.is(Mood::Well);
    assert_eq!(upload.await.status, 201);
}

#[tokio::test]
async fn a_store_that_fails_is_named_by_a_code_and_leaves_no_file() {
    let double = Double::start().await;
    let mut server = with_bucket(&double)
        .set("files.s3.timeout_ms", 500)
        .allow_error("the file store failed")
        .allow_error("storage.unavailable")
        .allow_error("the bucket does not answer")
        .start()
        .await;
    let visitor = Visitor::of(&server).await;
    let kept = visitor.stored("kept.txt", b"words".to_vec()).await;
    let path = format!("/api/v1/files/{}", id(&kept));
    let moods = [
        Mood::Refusing(503, "SlowDown"),
        Mood::Refusing(500, "InternalError"),
        Mood::Refusing(403, "AccessDenied"),
        Mood::Refusing(404, "NoSuchBucket"),
        Mood::Silent,
    ];
    for mood in moods {
        double.is(mood);
        for (name, bytes) in
            [("a.txt", b"words".to_vec()), ("a.jpg", photo(80, 40)), ("b.txt", long_text(6 << 20))]
        {
            let answer = visitor.upload(name, bytes).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (503, "storage.unavailable"),
                "{mood:?}, {name}: {}",
                answer.text
            );
            assert!(!answer.text.contains(SECRET) && !answer.text.contains(BUCKET), "{mood:?}");
        }
        assert_eq!(counted(&server).await, 1, "{mood:?}: no file was made");
        if !matches!(mood, Mood::Refusing(404, _)) {
            let answer = visitor.http.get(&path).await;
            assert_eq!(answer.code(), "storage.unavailable", "{mood:?}");
        }
        // Chat goes on.
        let message = format!("/api/v1/conversations/{}/messages", visitor.conversation);
        visitor.http.post(&message, &json!({"text": "still here"})).await.ok();
    }
    // A start while the store is away; what failed uploads left is swept at the next one.
    server.stop().await;
    server.restart().await;
    server.logged("the bucket does not answer").await;
    let visitor = visitor.at(&server);
    assert_eq!(visitor.upload("a.txt", b"words".to_vec()).await.code(), "storage.unavailable");
    double.is(Mood::Well);
    visitor.stored("again.txt", b"words".to_vec()).await;
    assert_eq!(visitor.bytes(&path).await, b"words");
    // An answer that stops in the middle ends, though late, and does not pass for the whole.
    double.is(Mood::Stalling);
    let began = Instant::now();
    let half = visitor.get(&path, None).await.bytes();
    assert!(soon("the end of a download", half).await.is_err(), "half a file is no file");
    assert!(began.elapsed().as_millis() >= 500, "the wait has its length");
    double.is(Mood::Well);
    assert_eq!(double.complaints(), Vec::<String>::new());
    for line in server.log() {
        assert!(!line.contains(SECRET), "{line}");
    }
}

#[tokio::test]
async fn bytes_that_could_not_be_removed_go_with_the_next_sweep() {
    let double = Double::start().await;
    let mut server = with_bucket(&double).set("files.s3.timeout_ms", 2_000).start().await;
    let visitor = Visitor::of(&server).await;
    let message = format!("/api/v1/conversations/{}/messages", visitor.conversation);
    let (mut files, mut last) = (Vec::new(), Value::Null);
    for name in ["a.txt", "b.txt"] {
        let file = visitor.stored(name, b"words".to_vec()).await;
        last = visitor.http.post(&message, &json!({"file": id(&file)})).await.ok()["seq"].take();
        files.push(file);
    }
    double.is(Mood::Refusing(403, "AccessDenied"));
    let erase = format!("/api/v1/conversations/{}/erase", visitor.conversation);
    let range = json!({"from_seq": 1, "to_seq": last});
    assert_eq!(server.admin().post(&erase, &range).await.ok()["files"], 2);
    double.is(Mood::Well);
    for file in &files {
        let gone = visitor.get(&format!("/api/v1/files/{}", id(file)), None).await;
        assert_eq!(gone.status(), 404, "erased is erased, whatever the store does");
        assert!(double.objects().contains_key(&object(file)), "the store kept it so far");
    }
    server.stop().await;
    server.restart().await;
    soon("the objects are gone", async {
        while double.objects().len() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_credentials_and_a_missing_bucket_refuse_the_start_by_name() {
    let double = Double::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    let data_dir = dir.path().join("data").display().to_string();
    let endpoint = double.endpoint();
    let right = [
        ("STORE", "s3"),
        ("S3__ENDPOINT", endpoint.as_str()),
        ("S3__REGION", REGION),
        ("S3__BUCKET", BUCKET),
        ("S3__ACCESS_KEY_ID", KEY_ID),
        ("S3__SECRET_ACCESS_KEY", SECRET),
        ("S3__ALLOW_HTTP", "true"),
    ];
    for (key, value, named) in [
        ("S3__SECRET_ACCESS_KEY", "wrong", "files.s3.access_key_id, secret_access_key"),
        ("S3__ACCESS_KEY_ID", "NOBODY", "files.s3.access_key_id, secret_access_key"),
        ("S3__BUCKET", "elsewhere", "files.s3.bucket"),
        ("S3__REGION", "mars-1", "files.s3.region"),
    ] {
        let env: Vec<(String, &str)> = right
            .iter()
            .map(|(name, usual)| (*name, if *name == key { value } else { *usual }))
            .map(|(name, value)| (format!("FRONTDESK__FILES__{name}"), value))
            .collect();
        let env: Vec<(&str, &str)> =
            env.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &data_dir];
        let output = run_to_end(FRONTDESK, &serve, &env).await;
        assert_eq!(output.status.code(), Some(1), "{key}: {}", output.stderr);
        assert!(output.stderr.contains(named), "{key}: {}", output.stderr);
        assert!(!output.stderr.contains(SECRET), "{key}: {}", output.stderr);
    }
}

#[tokio::test]
async fn config_check_knows_the_table_of_a_bucket() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("mine.toml");
    let path = file.display().to_string();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "from a file\n").expect("written");
    let whole = format!(
        "[files]\nstore = \"s3\"\n[files.s3]\nbucket = \"files\"\naccess_key_id = \"desk\"\n\
         secret_access_key_file = \"{}\"\n",
        secret.display()
    );
    for (text, code, named) in [
        (whole.clone(), 0, ""),
        (whole.replace("bucket = \"files\"\n", ""), 64, "files.s3.bucket"),
        (whole.replace("bucket =", "buckett ="), 64, "did you mean files.s3.bucket?"),
        (whole.replace("\"s3\"", "\"s4\""), 64, "store"),
        (whole.replace("access_key_id = \"desk\"\n", ""), 64, "files.s3.access_key_id"),
        (format!("{whole}endpoint = \"http://10.0.0.5\"\n"), 64, "files.s3.allow_http"),
    ] {
        std::fs::write(&file, &text).expect("written");
        let output = run_to_end(FRONTDESK, &["config", "check", "--config", &path], &[]).await;
        assert_eq!(output.status.code(), Some(code), "{text}: {}", output.stderr);
        assert!(output.stderr.contains(named), "{text}: {}", output.stderr);
    }
    std::fs::write(&file, &whole).expect("written");
    let printed = run_to_end(FRONTDESK, &["config", "print", "--config", &path], &[]).await;
    assert!(!printed.stdout.contains("from a file"), "{}", printed.stdout);
}

#[tokio::test]
async fn a_store_with_tls_is_trusted_by_the_certificate_that_is_named() {
    let (double, certificate) = Double::start_tls().await;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("store.pem");
    std::fs::write(&file, certificate).expect("written");
    let server = with_bucket(&double)
        .set("files.s3.allow_http", false)
        .set("files.s3.ca_file", file.display())
        .start()
        .await;
    let visitor = Visitor::of(&server).await;
    let stored = visitor.stored("a.txt", b"words".to_vec()).await;
    assert_eq!(double.objects()[&object(&stored)], b"words".as_slice());
    drop(server);
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    std::fs::write(&file, other.cert.pem()).expect("written");
    let count = double.requests().len();
    let server = with_bucket(&double)
        .set("files.s3.allow_http", false)
        .set("files.s3.ca_file", file.display())
        .set("files.s3.timeout_ms", 2_000)
        .allow_error("the bucket does not answer")
        .start()
        .await;
    let line = server.logged("the bucket does not answer").await;
    assert!(line.contains("certificate"), "{line}");
    assert_eq!(double.requests().len(), count, "nothing was said to a stranger");
}
