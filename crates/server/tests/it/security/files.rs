//! S15, S16 and the server's part of S12: what comes in as a file, and how it goes out.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use flate2::{Compression, Crc, write::DeflateEncoder, write::GzEncoder};
use frontdesk_core::chat;
use frontdesk_protocol::wire::{self, client_frame::Frame as Out, server_frame::Frame as In};
use frontdesk_testkit::{Http, TestServer, http::Answer, http::note, live, soon, within};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::world::{Room, World, text};
use crate::{FRONTDESK, chat::pair};

const MIB: u64 = 1 << 20;

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

/// One entry of an archive, as its directory tells it.
struct Entry {
    name: &'static str,
    /// Permissions and kind, as Unix writes them.
    mode: u32,
    /// Which of the written streams it names.
    stream: usize,
}

/// Writes a ZIP archive. Entries may share a stream: that is how 42 KB tell of 4 GB.
fn zip(streams: &[Vec<u8>], entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut written = Vec::new();
    let fields = |crc: u32, packed: usize, whole: usize| {
        let mut fields = vec![8, 0, 0, 0, 0, 0];
        fields.extend_from_slice(&crc.to_le_bytes());
        fields.extend_from_slice(&(packed as u32).to_le_bytes());
        fields.extend_from_slice(&(whole as u32).to_le_bytes());
        fields
    };
    for (index, stream) in streams.iter().enumerate() {
        let mut crc = Crc::new();
        crc.update(stream);
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::best());
        packer.write_all(stream).expect("memory takes it");
        let packed = packer.finish().expect("memory takes it");
        let name = entries.iter().find(|entry| entry.stream == index).expect("is named").name;
        let fields = fields(crc.sum(), packed.len(), stream.len());
        let offset = bytes.len() as u32;
        bytes.extend_from_slice(b"PK\x03\x04\x14\0\0\0");
        bytes.extend_from_slice(&fields);
        bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&packed);
        written.push((offset, fields));
    }
    let directory = bytes.len();
    for entry in entries {
        let (offset, fields) = &written[entry.stream];
        bytes.extend_from_slice(b"PK\x01\x02\x14\x03\x14\0\0\0");
        bytes.extend_from_slice(fields);
        bytes.extend_from_slice(&(entry.name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&(entry.mode << 16).to_le_bytes());
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(entry.name.as_bytes());
    }
    let (size, count) = ((bytes.len() - directory) as u32, entries.len() as u16);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&size.to_le_bytes());
    bytes.extend_from_slice(&(directory as u32).to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// What a tool that unpacks would have to write, by the archive's own directory.
fn claimed(archive: &[u8]) -> u64 {
    let entries = archive.windows(4).enumerate().filter(|(_, four)| *four == b"PK\x01\x02");
    entries
        .map(|(at, _)| {
            let size: [u8; 4] = archive[at + 24..at + 28].try_into().expect("four bytes");
            u64::from(u32::from_le_bytes(size))
        })
        .sum()
}

const FILE: u32 = 0o100_644;

/// 42 KB that unpack to more than 4 GB.
fn zip_bomb() -> Vec<u8> {
    let entries: Vec<Entry> =
        (0..128).map(|_| Entry { name: "0", mode: FILE, stream: 0 }).collect();
    zip(&[vec![0; 35 << 20]], &entries)
}

/// A document whose text unpacks to 200 MB.
fn docx_bomb() -> Vec<u8> {
    let types = b"<?xml version=\"1.0\"?><Types/>".to_vec();
    zip(
        &[types.clone(), types, vec![b' '; 200 << 20]],
        &[
            Entry { name: "[Content_Types].xml", mode: FILE, stream: 0 },
            Entry { name: "_rels/.rels", mode: FILE, stream: 1 },
            Entry { name: "word/document.xml", mode: FILE, stream: 2 },
        ],
    )
}

fn symlinks() -> Vec<u8> {
    zip(
        &[b"/etc".to_vec(), b"root::0:0::/:/bin/sh\n".to_vec()],
        &[
            Entry { name: "way", mode: 0o120_777, stream: 0 },
            Entry { name: "way/passwd", mode: FILE, stream: 1 },
        ],
    )
}

fn climbers() -> Vec<u8> {
    zip(
        &[b"* * * * * root id\n".to_vec()],
        &[
            Entry { name: "../../../../../../etc/cron.d/x", mode: FILE, stream: 0 },
            Entry { name: "..\\..\\windows\\x.bat", mode: FILE, stream: 0 },
            Entry { name: "/etc/cron.d/y", mode: FILE, stream: 0 },
        ],
    )
}

fn gzip_bomb() -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..200 {
        packer.write_all(&zeros).expect("memory takes it");
    }
    packer.finish().expect("memory takes it")
}

fn files_under(dir: &Path) -> usize {
    std::fs::read_dir(dir).map_or(0, |entries| {
        entries
            .map(|entry| entry.expect("readable").path())
            .map(|path| if path.is_dir() { files_under(&path) } else { 1 })
            .sum()
    })
}

#[tokio::test]
async fn s15_archives_are_kept_as_they_came_and_never_unpacked() {
    let _alone = crate::heavy().await;
    let world = World::build().await;
    let room = &world.acme.rooms[0];
    let visitor = world.acme.caller("visitor");
    let files = world.server.data_dir().join("files");
    let bomb = zip_bomb();
    assert!(bomb.len() < 43_000 && claimed(&bomb) > 4 << 30, "{} bytes", bomb.len());
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let archives = [
        ("bomb.zip", bomb, "application/zip"),
        ("bomb.docx", docx_bomb(), docx),
        ("links.zip", symlinks(), "application/zip"),
        ("climb.zip", climbers(), "application/zip"),
        ("bomb.tgz", gzip_bomb(), "application/gzip"),
    ];
    // The same sizes as plain text: what an upload costs without anything to unpack.
    let round = async |plain: bool| {
        let began = Instant::now();
        for (name, bytes, media_type) in &archives {
            let (name, bytes, media_type) = if plain {
                ("plain.txt", vec![b'a'; bytes.len()], "text/plain; charset=utf-8")
            } else {
                (*name, bytes.clone(), *media_type)
            };
            let before = files_under(&files);
            let answer = upload(&visitor, room, name, bytes.clone()).await;
            assert_eq!(answer.status, 201, "{name}: {}", answer.text);
            let stored = answer.json();
            assert!(stored["hasThumbnail"] != true, "{name}");
            assert_eq!(stored["sizeBytes"], bytes.len().to_string(), "{name}");
            assert_eq!(files_under(&files), before + 1, "{name}: one file, as it came");
            let path = format!("/api/v1/files/{}", text(&stored["id"]));
            let request = visitor.request(Method::GET, &path).send();
            let got = soon("a download", request).await.expect("an answer");
            let header = |name: &str| got.headers()[name].to_str().expect("text").to_owned();
            assert_eq!(header("content-type"), media_type, "{name}");
            assert!(header("content-disposition").starts_with("attachment"), "{name}");
            assert!(header("content-security-policy").contains("sandbox"), "{name}");
            assert_eq!(header("x-content-type-options"), "nosniff", "{name}");
            assert!(got.bytes().await.expect("all of it") == bytes, "{name}: as uploaded");
        }
        (began.elapsed(), world.server.rss_bytes())
    };
    round(true).await;
    let (plain_time, plain_rss) = round(true).await;
    let (bomb_time, bomb_rss) = round(false).await;
    let grown = bomb_rss.saturating_sub(plain_rss);
    note(&format!(
        "plain text took {plain_time:?}, archives of the same sizes {bomb_time:?}; \
         rss grew by {} KiB",
        grown / 1024
    ));
    assert!(grown < 16 * MIB, "the least of the bombs unpacks to 200 MB");
    assert!(bomb_time < plain_time * 4 + Duration::from_millis(500), "nothing was unpacked");
    for path in ["/etc/cron.d/x", "/etc/cron.d/y"] {
        assert!(!Path::new(path).exists(), "{path}");
    }
}

#[tokio::test]
async fn s15_a_gigabyte_is_refused_early_whether_it_is_told_or_only_sent() {
    let _alone = crate::heavy().await;
    let world = World::build().await;
    let room = &world.acme.rooms[0];
    let visitor = world.acme.caller("visitor");
    let files = world.server.data_dir().join("files");
    let before = files_under(&files);
    let path = format!("/api/v1/conversations/{}/uploads?name=a.txt", room.conversation);
    // Told: the answer is there before a byte of the body is.
    let mut socket = TcpStream::connect(world.server.address()).await.expect("a connection");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Visitor {}\r\n\
         content-length: 1073741824\r\n\r\n",
        world.server.address(),
        room.token
    );
    socket.write_all(head.as_bytes()).await.expect("it is taken");
    let mut answer = Vec::new();
    let told = soon("the refusal", async {
        while !answer.windows(14).any(|part| part == b"file.too_large") {
            if socket.read_buf(&mut answer).await.expect("readable") == 0 {
                break;
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await;
    assert!(told.starts_with("HTTP/1.1 413 ") && told.contains("file.too_large"), "{told}");
    drop(socket);
    // Sent: a body without a length, for as long as the server takes it.
    let rss = world.server.rss_bytes();
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let chunks = (0..16_384).map(move |_| {
        counter.fetch_add(64 * 1024, Ordering::Relaxed);
        Ok::<_, std::io::Error>(vec![b'a'; 64 * 1024])
    });
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let request = visitor.request(Method::POST, &path).body(body).send();
    let answer = within(Duration::from_mins(1), "the refusal of a gigabyte", request).await;
    // The client may see the answer, or the end of a connection that is of no more use.
    if let Ok(answer) = answer {
        assert_eq!(answer.status(), 413);
    }
    let sent = sent.load(Ordering::Relaxed);
    let grown = world.server.rss_bytes().saturating_sub(rss);
    note(&format!("{} MiB of 1,024 were taken; rss grew by {} KiB", sent / MIB, grown / 1024));
    assert!(sent < 128 * MIB, "the limit of 20 MiB, what is read on, and buffers");
    assert!(grown < 64 * MIB, "a part of an upload is 5 MiB");
    assert_eq!(files_under(&files), before, "nothing of it is kept");
    let small = upload(&visitor, room, "a.txt", b"small".to_vec()).await;
    assert_eq!(small.status, 201, "the quota is as it was: {}", small.text);
}

#[tokio::test]
async fn s15_one_address_is_slowed_down_long_before_ten_thousand_files() {
    let world = World::build().await;
    let room = &world.acme.rooms[0];
    let visitor = world.acme.caller("visitor");
    let mut stored = 0;
    let mut refused = None;
    for _ in 0..200 {
        let answer = upload(&visitor, room, "a.txt", b"tiny".to_vec()).await;
        match answer.status {
            201 => stored += 1,
            429 => refused = Some(answer),
            _ => panic!("{}", answer.text),
        }
    }
    let refused = refused.expect("200 uploads are too many for a minute");
    assert_eq!(refused.code(), "file.quota");
    let after: u64 = header(&refused, "retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&after), "{after}");
    note(&format!("{stored} of 200 uploads of one address were stored"));
    assert!(stored < 150, "60 a minute");
    assert_eq!(files_under(&world.server.data_dir().join("files")), stored + 4, "and no more");
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

/// A message with a file that is taken back takes the file along, also when the server dies right
/// after it said so.
#[tokio::test]
async fn s16_the_file_of_a_message_taken_back_is_gone_for_everybody() {
    let mut server = TestServer::start(FRONTDESK).await;
    let (agent, mut visitor, conversation) = pair(&server).await;
    for crash in [false, true] {
        let path = format!("/api/v1/conversations/{conversation}/uploads?name=a.txt");
        let request = visitor.http().request(Method::POST, &path).body("not for long");
        let file = text(&visitor.http().send(request).await.ok()["id"]);
        let mut send = live::text("", &live::message_id(), "");
        let kind = chat::content::Kind::File(chat::File { id: file.clone(), ..Default::default() });
        send.content = Some(chat::Content { kind: Some(kind), ..Default::default() });
        let seq = visitor.live.message(send).await.expect("acked").position.expect("a place").seq;
        let path = format!("/api/v1/files/{file}");
        assert_eq!(agent.http.get(&path).await.status, 200);
        let retract = wire::Retract { conversation: String::new(), seq };
        assert!(matches!(visitor.live.ask(Out::Retract(retract)).await, In::Done(_) | In::Ack(_)));
        if crash {
            server.kill9().await;
            server.restart().await;
            assert_eq!(visitor.http().get(&path).await.status, 404);
        }
        for http in [visitor.http(), agent.http.clone()] {
            soon("the file is gone", async {
                let mut pace = tokio::time::interval(Duration::from_millis(20));
                while http.get(&path).await.status != 404 {
                    pace.tick().await;
                }
            })
            .await;
        }
    }
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
