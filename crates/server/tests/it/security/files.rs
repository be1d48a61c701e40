//! S15, S16 and the server's part of S12: what comes in as a file, and how it goes out.

use std::fmt::Write as _;

use frontdesk_testkit::{Http, http::Answer};
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{Room, World, text};

async fn upload(by: &Http, room: &Room, name: &str, bytes: Vec<u8>) -> Answer {
    let mut path = format!("/api/v1/conversations/{}/uploads?name=", room.conversation);
    for byte in name.bytes() {
        write!(path, "%{byte:02X}").expect("a String takes everything");
    }
    let request = by.request(Method::POST, &path);
    by.send(request.header("Content-Type", "application/octet-stream").body(bytes)).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A PNG whose header claims a size, with nothing behind it.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend_from_slice(&width.to_be_bytes());
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&[8, 2, 0, 0, 0]);
    let crc = bytes[12..].iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    });
    bytes.extend_from_slice(&(!crc).to_be_bytes());
    bytes.extend_from_slice(b"\0\0\0\0IEND\xae\x42\x60\x82");
    bytes
}

#[tokio::test]
async fn s15_nothing_that_was_uploaded_runs_in_our_origin() {
    let world = World::build().await;
    let room = &world.acme.rooms[0];
    let visitor = world.acme.caller("visitor");
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    let html = b"<!doctype html><script>alert(1)</script>".to_vec();
    let pdf = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj".to_vec();
    let both = b"%PDF-1.7\n<html><script>alert(1)</script></html>".to_vec();
    let gif_js = b"GIF89a/*\x01\0\x01\0\0\0*/=1;alert(1)//".to_vec();
    for (name, bytes) in [
        ("page.png", html.clone()),
        ("page.html", html),
        ("picture.svg", svg.clone()),
        ("picture.png", svg),
        ("paper.pdf", pdf),
        ("both.html", both),
        ("gif.js", gif_js),
        ("script.js", b"alert(document.domain)".to_vec()),
    ] {
        let answer = upload(&visitor, room, name, bytes).await;
        assert!(answer.status < 500, "{name}: {}", answer.text);
        if answer.status != 201 {
            assert!(answer.code().starts_with("file."), "{name}: {}", answer.text);
            continue;
        }
        let id = text(&answer.json()["id"]);
        let got = visitor.get(&format!("/api/v1/files/{id}")).await;
        assert_eq!(got.status, 200, "{name}");
        let kind = header(&got, "content-type");
        assert!(
            !kind.contains("html") && !kind.contains("javascript"),
            "{name} is served as {kind}"
        );
        assert!(header(&got, "content-disposition").starts_with("attachment"), "{name}");
        assert!(header(&got, "content-security-policy").contains("sandbox"), "{name}");
        assert_eq!(header(&got, "x-content-type-options"), "nosniff", "{name}");
    }
}

#[tokio::test]
async fn s15_sizes_names_and_bombs_are_refused_or_made_harmless() {
    let world = World::build().await;
    let room = &world.acme.rooms[0];
    let visitor = world.acme.caller("visitor");
    let code = async |name: &str, bytes: Vec<u8>| upload(&visitor, room, name, bytes).await;
    assert_eq!(code("empty.txt", Vec::new()).await.code(), "file.empty");
    let giant = code("giant.png", png_of(60_000, 60_000)).await;
    assert!(matches!(giant.status, 413 | 422), "60,000 x 60,000: {} {}", giant.status, giant.text);
    let cut = code("cut.png", png_of(16, 16)).await;
    assert_eq!(cut.code(), "file.unreadable");
    let large = code("large.txt", vec![b'a'; 20 * 1024 * 1024 + 1]).await;
    assert_eq!((large.status, large.code().as_str()), (413, "file.too_large"));
    // A length that is only said.
    let path = format!("/api/v1/conversations/{}/uploads?name=a.txt", room.conversation);
    let said = visitor.request(Method::POST, &path).header("Content-Length", "1099511627776");
    // The client may see the answer, or the end of a connection that is of no more use.
    if let Some(answer) = visitor.try_send(said.body("short")).await {
        assert_eq!(answer.status, 413, "{}", answer.text);
    }
    for name in [
        "../../../../etc/passwd",
        "..\\..\\windows\\system32\\x.txt",
        "a\r\nSet-Cookie: evil=1.txt",
        "photo\u{202e}gpj.exe",
        "nul\0.txt",
        "\"; filename=evil.html; x=\".txt",
        "<img src=x onerror=alert(1)>.txt",
        &"long".repeat(500),
        "",
        ".",
        "CON",
    ] {
        let answer = upload(&visitor, room, name, b"plain words".to_vec()).await;
        assert_eq!(answer.status, 201, "{name:?}: {}", answer.text);
        let stored = answer.json();
        let kept = text(&stored["name"]);
        let bad = |c: char| {
            c.is_control()
                || matches!(c, '/' | '\\' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(
            !kept.contains(bad) && !kept.contains("..") && kept.len() <= 255,
            "{name:?}: {kept:?}"
        );
        let id = text(&stored["id"]);
        assert!(id.len() >= 22, "128 random bits: {id}");
        let got = visitor.get(&format!("/api/v1/files/{id}")).await;
        assert_eq!(got.status, 200);
        assert!(got.headers.get("set-cookie").is_none(), "{name:?}");
        let disposition = header(&got, "content-disposition");
        assert!(disposition.starts_with("attachment"), "{disposition}");
        let fields = disposition.matches("filename=").count();
        assert!(fields <= 1, "{disposition}");
    }
    // Files lie under names of ours, inside of the data directory.
    let mut dirs = vec![world.server.data_dir().join("files")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).expect("readable") {
            let entry = entry.expect("readable");
            let name = entry.file_name().to_string_lossy().into_owned();
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            assert!(name.chars().all(plain), "{name}");
            if entry.file_type().expect("a type").is_dir() {
                dirs.push(entry.path());
            }
        }
    }
}

#[tokio::test]
async fn s16_a_file_is_for_readers_of_its_room_only() {
    let world = World::build().await;
    let [room, other] = &world.acme.rooms;
    let file = format!("/api/v1/files/{}", room.file);
    let http = world.acme.anonymous();
    let status = async |by: &Http, path: &str| by.get(path).await.status;
    let own = http.with_visitor(&room.token);
    assert_eq!(status(&own, &file).await, 200);
    assert_eq!(status(&http, &file).await, 401, "nobody");
    assert_eq!(status(&http.with_visitor(&other.token), &file).await, 404, "another visitor");
    let stranger = &world.brio.rooms[0];
    assert_eq!(status(&http.with_visitor(&stranger.token), &file).await, 404, "another tenant");
    assert_eq!(status(&world.brio.key, &file).await, 404, "another tenant's key");
    let agent = world.acme.caller("agent");
    assert_eq!(status(&agent, &file).await, 200, "whose queue it is in");
    assert_eq!(status(&agent, &format!("/api/v1/files/{}", other.file)).await, 404, "not there");
    // Neither a neighbour's id, nor a path, nor the file in another room.
    let mut near = room.file.clone().into_bytes();
    for place in [0, near.len() / 2, near.len() - 1] {
        let kept = near[place];
        near[place] = if kept == b'A' { b'Q' } else { b'A' };
        let id = String::from_utf8(near.clone()).expect("ASCII");
        if id != room.file {
            assert_eq!(status(&own, &format!("/api/v1/files/{id}")).await, 404, "{id}");
        }
        near[place] = kept;
    }
    for path in ["..%2f..%2fcatalog.db", "%2e%2e%2fkeys%2fserver.key", "..%5ckeys", "%00", "a%00b"]
    {
        let answer = own.get(&format!("/api/v1/files/{path}")).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    for path in [
        "/..%2fkeys/server.key",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e/x",
        "/demo/assets/..%5c..",
        "/widget/assets/%00",
    ] {
        let answer = http.get(path).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    let send = json!({"file": room.file});
    let elsewhere = format!("/api/v1/conversations/{}/messages", other.conversation);
    let answer = http.with_visitor(&other.token).post(&elsewhere, &send).await;
    assert_eq!(answer.code(), "file.unknown", "a file goes out where it came in");
    let same = format!("/api/v1/conversations/{}/messages", room.conversation);
    assert_eq!(agent.post(&same, &send).await.code(), "file.unknown", "and by who brought it");
}

#[tokio::test]
async fn s16_an_erased_file_is_gone_for_everybody() {
    let world = World::build().await;
    let room = &world.acme.rooms[0];
    let path = format!("/api/v1/conversations/{}", room.conversation);
    let entries = world.acme.key.get(&format!("{path}/entries")).await.ok();
    let items = entries["items"].as_array().expect("items");
    let with_file = items.iter().find(|item| item.to_string().contains(&room.file));
    let seq = with_file.expect("the message with the file")["entry"]["seq"].clone();
    let seq: u64 = seq.as_u64().or_else(|| seq.as_str()?.parse().ok()).expect("a seq");
    let erase = json!({"from_seq": seq, "to_seq": seq});
    let path = format!("{path}/erase");
    assert_eq!(world.acme.caller("agent").post(&path, &erase).await.code(), "right.missing");
    assert_eq!(world.acme.key.post(&path, &erase).await.ok()["files"], 1);
    let file = format!("/api/v1/files/{}", room.file);
    for by in ["visitor", "agent", "owner", "key_all"] {
        assert_eq!(world.acme.caller(by).get(&file).await.status, 404, "{by}");
        let thumbnail = world.acme.caller(by).get(&format!("{file}/thumbnail")).await;
        assert_eq!(thumbnail.status, 404, "{by}");
    }
    let seen = world.acme.caller("visitor").get(&path.replace("erase", "entries")).await;
    assert!(!seen.text.contains(&room.file), "no trace of it is told: {}", seen.text);
    let mut left = Vec::new();
    let mut dirs = vec![world.server.data_dir().join("files")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).expect("readable").map_while(Result::ok) {
            if entry.file_type().expect("a type").is_dir() {
                dirs.push(entry.path());
            } else {
                let bytes = std::fs::read(entry.path()).expect("readable");
                left.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    let marks = left.iter().filter(|text| text.contains("planted-acme")).count();
    assert_eq!(marks, 1, "of the two files of the account one is left on disk");
}

#[tokio::test]
async fn s12_what_people_write_is_never_served_as_a_page() {
    let world = World::build().await;
    let tenant = &world.acme;
    let script = "<script>alert(1)</script><img src=x onerror=alert(1)>";
    let visitor = tenant.caller("visitor");
    let room = format!("/api/v1/conversations/{}", tenant.rooms[0].conversation);
    visitor.post(&format!("{room}/messages"), &json!({"text": script})).await.ok();
    let inbox = format!("/api/v1/inboxes/{}", tenant.inboxes[0]);
    tenant
        .key
        .patch(&inbox, &json!({"name": script, "texts": {"greeting": {"en": script}}}))
        .await
        .ok();
    let reply = json!({"shortcut": "xss", "texts": {"en": script}});
    tenant.key.post("/api/v1/canned-replies", &reply).await.ok();
    let request = json!({
        "kind": "visitor", "inbox_key": tenant.inbox_key, "language": script,
        "page": format!("javascript:alert(1)//{script}"), "referrer": "data:text/html,x",
    });
    let http = tenant.anonymous();
    let agent = http.request(Method::POST, "/api/v1/tickets").header("User-Agent", "<script>x");
    let made = http.send(agent.json(&request)).await;
    made.clone().ok();
    assert_eq!(header(&made, "content-type"), "application/json");
    let mut answers: Vec<(String, Answer)> = Vec::new();
    for path in
        [room.clone(), format!("{room}/entries"), inbox, "/api/v1/canned-replies".to_owned()]
    {
        answers.push((path.clone(), tenant.key.get(&path).await));
    }
    // What a request says of itself comes back in no page, either.
    for path in [
        format!("/api/v1/{}", "%3Cscript%3Ealert(1)%3C/script%3E"),
        "/api/v1/settings/%3Cscript%3E".to_owned(),
        "/api/v1/conversations?view=%3Cscript%3E".to_owned(),
    ] {
        answers.push((path.clone(), tenant.key.get(&path).await));
    }
    for (path, answer) in answers {
        let kind = header(&answer, "content-type");
        assert!(kind.starts_with("application/") && kind.contains("json"), "{path}: {kind}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
    }
    for path in [
        format!("/c/{}", tenant.inbox_key),
        format!("/widget/{}", tenant.inbox_key),
        "/c/%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
        "/%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
    ] {
        let answer = http.get(&path).await;
        assert!(answer.status < 500, "{path}");
        assert!(!answer.text.contains("<script>alert(1)"), "{path}: {}", answer.text);
        let policy = header(&answer, "content-security-policy");
        assert!(!policy.is_empty() && !policy.contains("unsafe-inline"), "{path}: {policy}");
    }
    let shown: Value = tenant.key.get(&room).await.ok();
    assert_eq!(shown["page_url"], "", "only web addresses are kept");
}
