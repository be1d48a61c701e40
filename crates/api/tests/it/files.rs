//! Uploads and downloads: S15 and S16.

use std::io::Cursor;

use frontdesk_api::{ApiConfig, config::FileLimits};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Server, problem};

/// A photograph: too many colours for anything but JPEG.
fn photo(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 7 % 256) as u8, (y * 5 % 256) as u8, ((x * y) % 256) as u8])
    })
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG whose header says it is enormous; only the header is ever read.
fn giant_png() -> Vec<u8> {
    let mut bytes = encoded(RgbImage::new(1, 1), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
        crc
    })
}

/// An EXIF block as a telephone writes it: maker, "turn by a quarter", and where it was taken.
fn exif() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        let mut bytes = tag.to_le_bytes().to_vec();
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&value);
        bytes
    };
    let table = |entries: &[Vec<u8>]| {
        let mut bytes = (entries.len() as u16).to_le_bytes().to_vec();
        bytes.extend(entries.concat());
        bytes.extend_from_slice(&[0; 4]);
        bytes
    };
    // Offsets count from the byte order mark: a header of 8, tables of 3 and 4 entries, then values.
    let (first, gps) = (8_u32, 8_u32 + 2 + 3 * 12 + 4);
    let values = gps + 2 + 4 * 12 + 4;
    let mut bytes = b"II*\0".to_vec();
    bytes.extend_from_slice(&first.to_le_bytes());
    bytes.extend(table(&[
        entry(0x010f, 2, 12, values.to_le_bytes()),
        entry(0x0112, 3, 1, [6, 0, 0, 0]),
        entry(0x8825, 4, 1, gps.to_le_bytes()),
    ]));
    bytes.extend(table(&[
        entry(1, 2, 2, *b"N\0\0\0"),
        entry(2, 5, 3, (values + 12).to_le_bytes()),
        entry(3, 2, 2, *b"E\0\0\0"),
        entry(4, 5, 3, (values + 36).to_le_bytes()),
    ]));
    bytes.extend_from_slice(b"SecretMaker\0");
    for (number, divisor) in
        [(52_u32, 1_u32), (31, 1), (1_234, 100), (13, 1), (24, 1), (4_321, 100)]
    {
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(&divisor.to_le_bytes());
    }
    bytes
}

/// Hides blocks behind the first marker of a JPEG.
fn jpeg_with(plain: &[u8], blocks: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = plain[..2].to_vec();
    for (marker, block) in blocks {
        bytes.extend_from_slice(&[0xff, *marker]);
        bytes.extend_from_slice(&((block.len() + 2) as u16).to_be_bytes());
        bytes.extend_from_slice(block);
    }
    bytes.extend_from_slice(&plain[2..]);
    bytes
}

/// Hides blocks behind the header of a PNG.
fn png_with(plain: &[u8], blocks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = plain[..33].to_vec();
    for (kind, block) in blocks {
        bytes.extend_from_slice(&(block.len() as u32).to_be_bytes());
        let start = bytes.len();
        bytes.extend_from_slice(*kind);
        bytes.extend_from_slice(block);
        let crc = crc32(&bytes[start..]);
        bytes.extend_from_slice(&crc.to_be_bytes());
    }
    bytes.extend_from_slice(&plain[33..]);
    bytes
}

fn jpeg_with_exif() -> Vec<u8> {
    let plain = encoded(photo(60, 40), ImageFormat::Jpeg);
    let exif = [&b"Exif\0\0"[..], &exif(), b"GPS-SECRET-PLACE"].concat();
    let xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>SecretXmp</x:xmpmeta>".to_vec();
    jpeg_with(&plain, &[(0xe1, exif), (0xe1, xmp), (0xfe, b"SecretComment".to_vec())])
}

/// A PNG as the standard nests EXIF in it, with texts beside.
fn png_with_exif() -> Vec<u8> {
    let plain = encoded(RgbaImage::new(60, 40), ImageFormat::Png);
    let text = b"Comment\0SecretComment".to_vec();
    png_with(&plain, &[(b"eXIf", exif()), (b"tEXt", text)])
}

/// A WebP picture in the extended form, with EXIF and XMP blocks.
fn webp_with_exif() -> Vec<u8> {
    let plain = encoded(photo(60, 40), ImageFormat::WebP);
    let chunk = |kind: &[u8], block: &[u8]| {
        let mut bytes = kind.to_vec();
        bytes.extend_from_slice(&(block.len() as u32).to_le_bytes());
        bytes.extend_from_slice(block);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    };
    let size = |pixels: u32| (pixels - 1).to_le_bytes()[..3].to_vec();
    let header = [vec![0b0000_1100, 0, 0, 0], size(60), size(40)].concat();
    let body = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &header),
        plain[12..].to_vec(),
        chunk(b"EXIF", &exif()),
        chunk(b"XMP ", b"<x:xmpmeta>SecretXmp</x:xmpmeta>"),
    ]
    .concat();
    chunk(b"RIFF", &body)
}

/// The markers of a JPEG's blocks in front of the pixels.
fn jpeg_blocks(bytes: &[u8]) -> Vec<u8> {
    let (mut markers, mut at) = (Vec::new(), 2);
    while bytes[at + 1] != 0xda {
        markers.push(bytes[at + 1]);
        at += 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    }
    markers
}

/// The kinds of a PNG's blocks.
fn png_blocks(bytes: &[u8]) -> Vec<String> {
    let (mut kinds, mut at) = (Vec::new(), 8);
    while at < bytes.len() {
        kinds.push(String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned());
        at += 12 + u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    kinds
}

struct Room<'a> {
    server: &'a Server,
    token: String,
    conversation: String,
}

impl<'a> Room<'a> {
    /// A visitor who has written already.
    async fn of(server: &'a Server) -> Self {
        let (token, conversation) = server.visitor().await;
        let room = Self { server, token, conversation };
        let sent = room.say(&json!({ "text": "hi" })).await;
        assert_eq!(sent.status(), StatusCode::CREATED);
        room
    }

    async fn say(&self, body: &Value) -> Response {
        let path = format!("/api/v1/conversations/{}/messages", self.conversation);
        let request = reqwest::Client::new().post(self.server.url(&path)).json(body);
        request.header("authorization", &self.token).send().await.unwrap()
    }

    async fn upload(&self, name: &str, bytes: Vec<u8>) -> Response {
        let path = format!("/api/v1/conversations/{}/uploads", self.conversation);
        let url = reqwest::Url::parse_with_params(&self.server.url(&path), [("name", name)]);
        reqwest::Client::new()
            .post(url.unwrap())
            .header("authorization", &self.token)
            .header("content-type", "application/octet-stream")
            .body(bytes)
            .send()
            .await
            .unwrap()
    }

    async fn stored(&self, name: &str, bytes: Vec<u8>) -> Value {
        let answer = self.upload(name, bytes).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{name}");
        answer.json().await.unwrap()
    }

    async fn fetch(&self, path: &str) -> Response {
        self.fetch_with(path, &[]).await
    }

    async fn fetch_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = reqwest::Client::new().get(self.server.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.header("authorization", &self.token).send().await.unwrap()
    }
}

#[tokio::test]
async fn s15_what_a_file_is_its_bytes_say() {
    let server = Server::start().await;
    let room = Room::of(&server).await;
    let html = b"<!doctype html><script>alert(1)</script>".to_vec();
    let png = encoded(RgbaImage::new(4, 4), ImageFormat::Png);
    let polyglot = [encoded(photo(64, 64), ImageFormat::Jpeg), html.clone()].concat();
    let broken = encoded(photo(64, 64), ImageFormat::Png)[..200].to_vec();
    for (name, bytes, status, code) in [
        ("page.png", html.clone(), 415, "file.type"),
        ("program.txt", b"MZ\x90\0\x03\0\0\0\x04".to_vec(), 415, "file.type"),
        ("tool", b"\x7fELF\x02\x01\x01\0".to_vec(), 415, "file.type"),
        ("run.txt", b"#!/bin/sh\necho".to_vec(), 415, "file.type"),
        ("empty.png", Vec::new(), 422, "file.empty"),
        ("giant.png", giant_png(), 413, "file.too_large"),
        ("broken.png", broken, 422, "file.unreadable"),
    ] {
        problem(room.upload(name, bytes).await, status, code).await;
    }
    for (name, bytes, kept, media_type) in [
        ("photo.html", png, "photo.png", "image/png"),
        ("photo.jpg", polyglot, "photo.jpg", "image/jpeg"),
        ("photo.webp", encoded(photo(64, 64), ImageFormat::WebP), "photo.jpg", "image/jpeg"),
        ("x.gif", encoded(RgbaImage::new(4, 4), ImageFormat::Gif), "x.gif", "image/gif"),
        ("drawing.svg", b"<svg onload=\"alert(1)\"/>".to_vec(), "drawing.svg", "image/svg+xml"),
        ("a.pdf", b"%PDF-1.7 /JS (app.alert(1))".to_vec(), "a.pdf", "application/pdf"),
        ("notes.txt", "注意".as_bytes().to_vec(), "notes.txt", "text/plain"),
        ("../../etc/x.zip", b"PK\x03\x04 zip".to_vec(), "x.zip", "application/zip"),
    ] {
        let file = room.stored(name, bytes).await;
        assert_eq!(
            (file["name"].as_str(), file["mediaType"].as_str()),
            (Some(kept), Some(media_type))
        );
        assert_eq!(file["id"].as_str().unwrap().len(), 32);
    }
}

#[tokio::test]
async fn s15_pictures_are_written_anew_without_what_was_hidden_in_them() {
    let server = Server::start().await;
    let room = Room::of(&server).await;
    let file = room.stored("me.jpg", jpeg_with_exif()).await;
    assert_eq!((&file["width"], &file["height"]), (&json!(40), &json!(60)), "turned as EXIF said");
    let id = file["id"].as_str().unwrap();
    let bytes = room.fetch(&format!("/api/v1/files/{id}")).await.bytes().await.unwrap();
    assert!(!bytes.windows(4).any(|w| w == b"Exif" || w == b"GPS-"), "EXIF is gone");
    // Every block of what is served is one that a picture needs.
    for (name, bytes) in
        [("a.jpg", jpeg_with_exif()), ("a.png", png_with_exif()), ("a.webp", webp_with_exif())]
    {
        assert!(bytes.windows(11).any(|w| w == b"SecretMaker"), "{name} carries it");
        let file = room.stored(name, bytes).await;
        let id = file["id"].as_str().unwrap();
        let bytes = room.fetch(&format!("/api/v1/files/{id}")).await.bytes().await.unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"Secret" || w == b"SECRET"), "{name}");
        if file["mediaType"] == "image/png" {
            let kinds = png_blocks(&bytes);
            assert!(
                kinds.iter().all(|kind| ["IHDR", "IDAT", "IEND"].contains(&kind.as_str())),
                "{kinds:?}"
            );
        } else {
            let markers = jpeg_blocks(&bytes);
            let needed = |marker: &u8| matches!(*marker, 0xe0 | 0xdb | 0xc0 | 0xc4);
            assert!(markers.iter().all(needed), "{name}: {markers:02x?}");
        }
    }
    let big = room.stored("big.jpg", encoded(photo(800, 400), ImageFormat::Jpeg)).await;
    assert_eq!(big["hasThumbnail"], true);
    let id = big["id"].as_str().unwrap();
    let small = room.fetch(&format!("/api/v1/files/{id}/thumbnail")).await;
    assert_eq!(small.headers()["content-type"], "image/jpeg");
    let small = image::load_from_memory(&small.bytes().await.unwrap()).unwrap();
    assert_eq!((small.width(), small.height()), (320, 160));
}

/// Claims a size in the header of a picture of any format.
fn giants() -> Vec<(&'static str, Vec<u8>)> {
    let side = 60_000_u16;
    let mut jpeg = encoded(photo(64, 64), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
    let mut gif = encoded(RgbaImage::new(4, 4), ImageFormat::Gif);
    gif[6..8].copy_from_slice(&side.to_le_bytes());
    gif[8..10].copy_from_slice(&side.to_le_bytes());
    // Sides of a lossy WebP have 14 bits: the most it can claim.
    let mut webp = b"RIFF\x1e\0\0\0WEBPVP8 \x12\0\0\0\x10\x02\0\x9d\x01\x2a".to_vec();
    webp.extend_from_slice(&[0xff, 0x3f, 0xff, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0]);
    vec![("giant.png", giant_png()), ("giant.jpg", jpeg), ("giant.gif", gif), ("giant.webp", webp)]
}

#[tokio::test]
async fn s15_a_picture_that_claims_to_be_enormous_is_refused_in_every_format() {
    let server = Server::start().await;
    let room = Room::of(&server).await;
    for (name, bytes) in giants() {
        assert!(bytes.len() < 4_096, "{name} is small itself");
        problem(room.upload(name, bytes).await, 413, "file.too_large").await;
    }
    assert_eq!(walk(&server.dir.path().join("files")), 0);
}

#[tokio::test]
async fn s15_ten_thousand_files_of_a_visitor_stop_at_its_bound() {
    let limits = frontdesk_api::config::RequestLimits {
        visitor_uploads_per_ip_per_minute: 1_000_000,
        per_ip_per_minute: 1_000_000,
        per_principal_per_minute: 1_000_000,
        per_account_per_minute: 1_000_000,
        ..frontdesk_api::config::RequestLimits::default()
    };
    let server = Server::with(ApiConfig { limits, ..ApiConfig::default() }).await;
    let room = Room::of(&server).await;
    let http = reqwest::Client::new();
    let path = format!("/api/v1/conversations/{}/uploads?name=a.txt", room.conversation);
    let upload = async |_: usize| {
        let request = http.post(server.url(&path)).header("authorization", &room.token);
        request.body("tiny").send().await.unwrap().status().as_u16()
    };
    let bound = frontdesk_core::limits::VISITOR_FILES_MAX as usize;
    let statuses: Vec<u16> = futures_util::StreamExt::collect(futures_util::StreamExt::buffered(
        futures_util::stream::iter((0..10_000).map(upload)),
        8,
    ))
    .await;
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(count(201) + count(429), 10_000);
    // Uploads at the same time may refuse each other close to the bound, and never pass it.
    assert!((bound - 8..=bound).contains(&count(201)), "{} stored", count(201));
    assert_eq!(walk(&server.dir.path().join("files")), count(201));
    Room::of(&server).await.stored("b.txt", b"another visitor has room".to_vec()).await;
}

#[tokio::test]
async fn s15_the_files_of_an_account_are_bounded_in_number() {
    let files = FileLimits { account_files_max: 3, ..FileLimits::default() };
    let server = Server::with(ApiConfig { files, ..ApiConfig::default() }).await;
    let (one, two) = (Room::of(&server).await, Room::of(&server).await);
    one.stored("a.txt", b"a".to_vec()).await;
    let file = one.stored("b.txt", b"b".to_vec()).await;
    two.stored("c.txt", b"c".to_vec()).await;
    let refused = problem(two.upload("d.txt", b"d".to_vec()).await, 429, "file.quota").await;
    assert!(refused["detail"].as_str().unwrap().contains("account"), "{refused}");
    // What is erased makes room.
    assert_eq!(one.say(&json!({ "file": file["id"] })).await.status(), StatusCode::CREATED);
    let erase = format!("/api/v1/conversations/{}/erase", one.conversation);
    let range = json!({ "from_seq": 1, "to_seq": 2 });
    assert_eq!(server.owner().await.post(&erase, &range).await.status(), StatusCode::OK);
    two.stored("d.txt", b"d".to_vec()).await;
}

#[tokio::test]
async fn s15_only_pictures_of_ours_are_shown_in_place() {
    let server = Server::start().await;
    let room = Room::of(&server).await;
    let name = "rep\u{202e}ort\r\nX-Bad: 1\"发票.svg";
    let svg = room.stored(name, b"<svg><script>alert(1)</script></svg>".to_vec()).await;
    let png = room.stored("p.png", encoded(RgbaImage::new(4, 4), ImageFormat::Png)).await;
    for (file, kind) in [(&svg, "attachment; "), (&png, "inline; ")] {
        let path = format!("/api/v1/files/{}", file["id"].as_str().unwrap());
        let answer = room.fetch(&path).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let headers = answer.headers();
        let disposition = headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with(kind), "{disposition}");
        let csp = headers["content-security-policy"].to_str().unwrap();
        assert!(csp.contains("sandbox") && csp.contains("default-src 'none'"), "{csp}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(!headers.contains_key("x-bad"));
    }
    let path = format!("/api/v1/files/{}", svg["id"].as_str().unwrap());
    let disposition =
        room.fetch(&path).await.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(
        disposition.ends_with("filename*=UTF-8''reportX-Bad%201%E5%8F%91%E7%A5%A8.svg"),
        "{disposition}"
    );
}

#[tokio::test]
async fn s15_sizes_and_quotas_hold_whatever_the_header_says() {
    let files = FileLimits {
        file_bytes_max: 1_000,
        visitor_files_max: 2,
        visitor_bytes_max: 1_500,
        ..FileLimits::default()
    };
    let server = Server::with(ApiConfig { files, ..ApiConfig::default() }).await;
    let room = Room::of(&server).await;
    problem(room.upload("a.txt", vec![b'a'; 1_001]).await, 413, "file.too_large").await;
    let chunks = (0..20).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 100]));
    let path = format!("/api/v1/conversations/{}/uploads?name=a.txt", room.conversation);
    let endless = reqwest::Client::new()
        .post(server.url(&path))
        .header("authorization", &room.token)
        .body(reqwest::Body::wrap_stream(futures_util::stream::iter(chunks)))
        .send()
        .await
        .unwrap();
    problem(endless, 413, "file.too_large").await;
    room.stored("a.txt", vec![b'a'; 900]).await;
    problem(room.upload("b.txt", vec![b'b'; 900]).await, 429, "file.quota").await;
    room.stored("c.txt", vec![b'c'; 100]).await;
    problem(room.upload("d.txt", vec![b'd'; 10]).await, 429, "file.quota").await;
    let left: usize = walk(&server.dir.path().join("files"));
    assert_eq!(left, 2, "refused uploads leave nothing behind");
}

fn walk(dir: &std::path::Path) -> usize {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { walk(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn s16_a_file_is_for_those_who_may_read_its_conversation() {
    let server = Server::start().await;
    let (mine, theirs) = (Room::of(&server).await, Room::of(&server).await);
    let file = mine.stored("secret.txt", b"my secret".to_vec()).await;
    let path = format!("/api/v1/files/{}", file["id"].as_str().unwrap());
    assert_eq!(mine.fetch(&path).await.bytes().await.unwrap(), "my secret");
    problem(theirs.fetch(&path).await, 404, "not_found").await;
    problem(server.browser().get(&path).await, 401, "auth.required").await;
    let owner = server.owner().await;
    assert_eq!(owner.get(&path).await.status(), StatusCode::OK);
    let other = server.other_account().await;
    let key = reqwest::Client::new().get(server.url(&path)).bearer_auth(&other.api_key);
    problem(key.send().await.unwrap(), 404, "not_found").await;
    for guess in ["0".repeat(32), mine.conversation.clone(), "..%2f..%2fcatalog.db".to_owned()] {
        problem(mine.fetch(&format!("/api/v1/files/{guess}")).await, 404, "not_found").await;
    }
    let foreign = json!({ "file": file["id"] });
    problem(theirs.say(&foreign).await, 422, "file.unknown").await;
    assert_eq!(mine.say(&foreign).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn s16_an_erased_message_takes_its_file_with_it() {
    let server = Server::start().await;
    let room = Room::of(&server).await;
    let file = room.stored("secret.txt", b"my secret".to_vec()).await;
    let path = format!("/api/v1/files/{}", file["id"].as_str().unwrap());
    assert_eq!(room.say(&json!({ "file": file["id"] })).await.status(), StatusCode::CREATED);
    let erase = format!("/api/v1/conversations/{}/erase", room.conversation);
    let range = json!({ "from_seq": 1, "to_seq": 2 });
    let owner = server.owner().await;
    let erased: Value = owner.post(&erase, &range).await.json().await.unwrap();
    assert_eq!(erased["files"], 1);
    problem(room.fetch(&path).await, 404, "not_found").await;
    assert_eq!(walk(&server.dir.path().join("files")), 0);
}

#[tokio::test]
async fn uploads_that_never_finished_are_swept() {
    let server = Server::start().await;
    let new = frontdesk_catalog::NewFile {
        id: frontdesk_catalog::new_file_id().unwrap(),
        conversation: None,
        uploader: frontdesk_catalog::Uploader { kind: "api".to_owned(), id: "x".to_owned() },
        name: "half.bin".to_owned(),
        reserve: frontdesk_catalog::Reserve::Exactly(10),
        quotas: frontdesk_catalog::FileQuotas {
            account: frontdesk_catalog::FileUsage { files: 1, bytes: 10 },
            uploader: None,
        },
    };
    let begun = server.catalog.begin_file(server.account.account, new).await.unwrap().file;
    assert_eq!(server.files.sweep(begun.created_ms).await.unwrap(), 0, "it may still be coming");
    assert_eq!(server.files.sweep(begun.created_ms + 1).await.unwrap(), 1);
    assert_eq!(server.files.sweep(begun.created_ms + 1).await.unwrap(), 0);
}

#[tokio::test]
async fn s21_one_address_cannot_upload_for_visitor_after_visitor() {
    let limits = frontdesk_api::config::RequestLimits {
        visitor_uploads_per_ip_per_minute: 2,
        ..frontdesk_api::config::RequestLimits::default()
    };
    let server = Server::with(ApiConfig { limits, ..ApiConfig::default() }).await;
    for _ in 0..2 {
        Room::of(&server).await.stored("a.txt", b"a".to_vec()).await;
    }
    let refused = Room::of(&server).await.upload("a.txt", b"a".to_vec()).await;
    assert!(refused.headers().contains_key("retry-after"));
    problem(refused, 429, "file.quota").await;
}

#[tokio::test]
async fn a_part_of_a_file_is_served_where_a_player_seeks() {
    let server = Server::start().await;
    let room = Room::of(&server).await;
    let mut mp3 = b"ID3\x04\0\0\0\0\0\0".to_vec();
    mp3.extend((0..100_000_u32).map(|n| (n % 251) as u8));
    let file = room.stored("song.mp3", mp3.clone()).await;
    let path = format!("/api/v1/files/{}", file["id"].as_str().unwrap());
    let whole = room.fetch(&path).await;
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let tag = whole.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(whole.bytes().await.unwrap(), mp3);
    let size = mp3.len();
    for (range, from, to) in [
        ("bytes=0-0", 0, 0),
        ("bytes=1000-1999", 1_000, 1_999),
        ("bytes=99000-", 99_000, size - 1),
        ("bytes=-10", size - 10, size - 1),
        ("bytes=0-999999999", 0, size - 1),
    ] {
        for condition in [None, Some(("if-range", tag.as_str()))] {
            let mut headers = vec![("range", range)];
            headers.extend(condition);
            let part = room.fetch_with(&path, &headers).await;
            assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{range}");
            assert_eq!(part.headers()["content-range"], format!("bytes {from}-{to}/{size}"));
            assert_eq!(part.headers()["content-length"], (to - from + 1).to_string());
            assert_eq!(part.headers()["etag"], tag);
            assert_eq!(part.headers()["content-type"], "audio/mpeg");
            assert!(
                part.headers()["content-security-policy"].to_str().unwrap().contains("sandbox")
            );
            assert_eq!(part.bytes().await.unwrap(), mp3[from..=to], "{range}");
        }
    }
    for headers in [
        [("range", "bytes=5-2"), ("accept", "*/*")],
        [("range", "bytes=0-1,4-5"), ("accept", "*/*")],
        [("range", "lines=1-2"), ("accept", "*/*")],
        [("range", "bytes=0-9"), ("if-range", "\"another\"")],
    ] {
        let answer = room.fetch_with(&path, &headers).await;
        assert_eq!(answer.status(), StatusCode::OK, "{headers:?}");
        assert_eq!(answer.bytes().await.unwrap(), mp3, "{headers:?}");
    }
    for range in ["bytes=100010-", "bytes=-0"] {
        let answer = room.fetch_with(&path, &[("range", range)]).await;
        assert_eq!(answer.headers()["content-range"], format!("bytes */{size}"), "{range}");
        problem(answer, 416, "request.range").await;
    }
    let unchanged = [("range", "bytes=0-9"), ("if-none-match", tag.as_str())];
    let answer = room.fetch_with(&path, &unchanged).await;
    assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "the condition comes before the range");
    let head = reqwest::Client::new().head(server.url(&path)).header("range", "bytes=0-9");
    let head = head.header("authorization", &room.token).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK, "ranges are of GET");
    assert_eq!(head.headers()["content-length"], size.to_string());
    let stranger = Room::of(&server).await;
    let refused = stranger.fetch_with(&path, &[("range", "bytes=0-9")]).await;
    problem(refused, 404, "not_found").await;
}

async fn set(server: &Server, name: &str, place: &str, value: Value) -> Response {
    let path = format!("/api/v1/settings/{name}{place}");
    let body = json!({ "value": value });
    server.owner().await.send(reqwest::Method::PUT, &path, Some(&body)).await
}

#[tokio::test]
async fn an_account_lowers_the_limits_of_files_for_itself_and_for_an_inbox() {
    let files = FileLimits { file_bytes_max: 3 << 20, ..FileLimits::default() };
    let server = Server::with(ApiConfig { files, ..ApiConfig::default() }).await;
    let room = Room::of(&server).await;
    let inbox = format!("?inbox={}", server.account.inbox);
    let of = |mib: usize| vec![b'a'; mib << 20];
    let shown = async |place: &str| {
        let all = server.owner().await.get(&format!("/api/v1/settings{place}")).await;
        let all: Value = all.json().await.unwrap();
        let list = all["settings"].as_array().unwrap();
        list.iter().find(|setting| setting["name"] == "files.size_mib").unwrap().clone()
    };
    let told = async || {
        let body = json!({ "kind": "visitor", "inbox_key": server.account.inbox_key });
        let answer = server.browser().post("/api/v1/tickets", &body).await;
        answer.json::<Value>().await.unwrap()["inbox"]["file_bytes_max"].clone()
    };
    let untouched = shown("").await;
    assert_eq!(
        (&untouched["value"], &untouched["default"], &untouched["max"], &untouched["own"]),
        (&json!(3), &json!(3), &json!(3), &json!(false)),
        "the configuration is the ceiling and the default"
    );
    assert_eq!(told().await, 3 << 20);
    room.stored("a.txt", of(3)).await;
    problem(set(&server, "files.size_mib", "", json!(4)).await, 422, "setting.invalid").await;
    assert_eq!(set(&server, "files.size_mib", "", json!(2)).await.status(), StatusCode::OK);
    problem(room.upload("a.txt", of(3)).await, 413, "file.too_large").await;
    room.stored("a.txt", of(2)).await;
    assert_eq!(set(&server, "files.size_mib", &inbox, json!(1)).await.status(), StatusCode::OK);
    problem(room.upload("a.txt", of(2)).await, 413, "file.too_large").await;
    assert_eq!(told().await, 1 << 20);
    assert_eq!(shown(&inbox).await["value"], 1);
    assert_eq!(shown("").await["value"], 2);
    // An agent of the account is bound as the inbox of the conversation is.
    let path = format!("/api/v1/conversations/{}/uploads?name=a.txt", room.conversation);
    let key = reqwest::Client::new().post(server.url(&path)).bearer_auth(&server.account.api_key);
    let answer = key.body(of(3)).send().await.unwrap();
    problem(answer, 413, "file.too_large").await;
    assert_eq!(set(&server, "files.size_mib", &inbox, Value::Null).await.status(), StatusCode::OK);
    assert_eq!(set(&server, "files.size_mib", "", Value::Null).await.status(), StatusCode::OK);
    room.stored("a.txt", of(3)).await;
}

#[tokio::test]
async fn an_account_lowers_its_quotas_and_may_take_no_files_of_visitors() {
    let server = Server::start().await;
    let (room, other) = (Room::of(&server).await, Room::of(&server).await);
    let path = format!("/api/v1/conversations/{}/uploads?name=a.txt", room.conversation);
    let as_key = async |bytes: usize| {
        let key = reqwest::Client::new().post(server.url(&path));
        key.bearer_auth(&server.account.api_key).body(vec![b'k'; bytes]).send().await.unwrap()
    };
    let inbox = format!("?inbox={}", server.account.inbox);
    assert_eq!(
        set(&server, "files.visitor_day_mib", &inbox, json!(1)).await.status(),
        StatusCode::OK
    );
    room.stored("a.txt", vec![b'a'; 700_000]).await;
    problem(room.upload("b.txt", vec![b'b'; 700_000]).await, 429, "file.quota").await;
    other.stored("b.txt", vec![b'b'; 700_000]).await;
    assert_eq!(as_key(2 << 20).await.status(), StatusCode::CREATED, "only visitors are bound");
    assert_eq!(set(&server, "files.account_mib", "", json!(10)).await.status(), StatusCode::OK);
    assert_eq!(as_key(6 << 20).await.status(), StatusCode::CREATED);
    problem(as_key(2 << 20).await, 429, "file.quota").await;
    assert_eq!(set(&server, "files.visitors", &inbox, json!(false)).await.status(), StatusCode::OK);
    problem(room.upload("c.txt", b"c".to_vec()).await, 403, "right.missing").await;
    assert_eq!(as_key(10).await.status(), StatusCode::CREATED, "agents and programs still may");
}

#[tokio::test]
async fn s15_uploads_at_the_same_time_do_not_pass_the_quota_together() {
    let files =
        FileLimits { visitor_bytes_max: 100_000, visitor_files_max: 8, ..FileLimits::default() };
    let server = Server::with(ApiConfig { files, ..ApiConfig::default() }).await;
    let (large, many) = (Room::of(&server).await, Room::of(&server).await);
    let at_once = async |room: &Room<'_>, bytes: usize| {
        let uploads = (0..24).map(|_| room.upload("a.txt", vec![b'a'; bytes]));
        let answers = futures_util::future::join_all(uploads).await;
        let status = |wanted| answers.iter().filter(|a| a.status().as_u16() == wanted).count();
        assert_eq!(status(201) + status(429), 24);
        status(201)
    };
    let stored = at_once(&large, 30_000).await;
    assert!(stored <= 3, "{stored} of 30,000 bytes are more than 100,000");
    let stored = at_once(&many, 10).await;
    assert!(stored <= 8, "{stored} files are more than 8");
    // Whoever was refused gave the room back.
    while many.upload("a.txt", vec![b'a'; 10]).await.status() == StatusCode::CREATED {}
    let account = server.account.account;
    let usage = server.catalog.file_usage(account).await.unwrap();
    assert!(usage.files >= 8 && usage.bytes <= 100_080, "{usage:?}");
    assert_eq!(walk(&server.dir.path().join("files")) as u64, usage.files, "nothing lies about");
}

#[tokio::test]
async fn an_upload_that_breaks_off_gives_its_room_back() {
    use tokio::io::AsyncWriteExt as _;
    let files = FileLimits { visitor_bytes_max: 50_000, ..FileLimits::default() };
    let server = Server::with(ApiConfig { files, ..ApiConfig::default() }).await;
    let room = Room::of(&server).await;
    let mut socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/v1/conversations/{}/uploads?name=a.txt HTTP/1.1\r\nhost: x\r\n\
         authorization: {}\r\ncontent-length: 40000\r\n\r\n",
        room.conversation, room.token
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![b'a'; 20_000]).await.unwrap();
    let usage = async || server.catalog.file_usage(server.account.account).await.unwrap().bytes;
    let soon = async |wait: &mut (dyn Future<Output = ()> + Unpin)| {
        tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.unwrap();
    };
    soon(&mut Box::pin(async { while usage().await == 0 {} })).await;
    assert_eq!(usage().await, 40_000, "what is announced is reserved");
    problem(room.upload("b.txt", vec![b'b'; 20_000]).await, 429, "file.quota").await;
    drop(socket);
    soon(&mut Box::pin(async { while usage().await > 0 {} })).await;
    room.stored("b.txt", vec![b'b'; 20_000]).await;
}
