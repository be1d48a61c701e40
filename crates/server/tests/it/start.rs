//! What can be wrong at the start, each with an error a person can act on, and what `init` leaves.

use std::{fs, os::unix::fs::PermissionsExt as _};

use frontdesk_testkit::{Output, TestServer, run_to_end};
use serde_json::Value;

use crate::FRONTDESK;

#[track_caller]
fn refused(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    for part in parts {
        assert!(output.stderr.contains(part), "no {part:?} in: {}", output.stderr);
    }
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
}

#[tokio::test]
async fn an_unknown_key_is_refused_with_the_nearest_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("mine.toml");
    fs::write(&file, "[gateway]\nping_intervall_ms = 5\n").expect("a file");
    let file = file.display().to_string();
    for command in ["serve", "init", "doctor"] {
        let mut arguments = vec![command, "--config", &file];
        if command == "init" {
            arguments.extend(["--account", "A", "--admin-email", "a@b.example"]);
            arguments.extend(["--admin-password-file", &file]);
        }
        let output = run_to_end(FRONTDESK, &arguments, &[]).await;
        refused(
            &output,
            64,
            &["gateway.ping_intervall_ms", "mine.toml", "gateway.ping_interval_ms"],
        );
    }
    let wrong = [("FRONTDESK__SERVER__LISTN", "127.0.0.1:0")];
    let output = run_to_end(FRONTDESK, &["config", "check"], &wrong).await;
    refused(&output, 64, &["server.listn", "FRONTDESK__SERVER__LISTN", "server.listen"]);
    let wrong = [("FRONTDESK__GATEWAY__LOOPS", "many")];
    let output = run_to_end(FRONTDESK, &["config", "check"], &wrong).await;
    refused(&output, 64, &["loops"]);
    let output = run_to_end(FRONTDESK, &["serve", "--prot", "1"], &[]).await;
    refused(&output, 64, &["--prot"]);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let server = TestServer::start(FRONTDESK).await;
    let dir = tempfile::tempdir().expect("a directory");
    let (dir, address) = (dir.path().join("d"), server.address().to_string());
    let arguments =
        ["serve", "--listen", &address, "--data-dir", dir.to_str().expect("a plain path")];
    let output = run_to_end(FRONTDESK, &arguments, &[]).await;
    refused(&output, 1, &[&address, "--listen", "in use"]);
    assert!(!dir.join("installation.toml").exists(), "nothing was created before the refusal");
}

#[tokio::test]
async fn a_data_directory_in_use_is_named() {
    let server = TestServer::start(FRONTDESK).await;
    let dir = server.data_dir().to_str().expect("a plain path").to_owned();
    for arguments in [
        vec!["serve", "--listen", "127.0.0.1:0", "--data-dir", &dir],
        vec!["doctor", "--data-dir", &dir],
        vec!["user", "list", "--data-dir", &dir],
    ] {
        let output = run_to_end(FRONTDESK, &arguments, &[]).await;
        refused(&output, 1, &[&dir, "in use by another process"]);
    }
}

#[tokio::test]
async fn a_data_directory_of_a_newer_version_is_left_alone() {
    let mut server = TestServer::start(FRONTDESK).await;
    server.stop().await;
    let file = server.data_dir().join("installation.toml");
    let newer = "format = 99\nwarp = true\n";
    fs::write(&file, newer).expect("written");
    let dir = server.data_dir().to_str().expect("a plain path").to_owned();
    for command in ["serve", "doctor"] {
        let mut arguments = vec![command, "--data-dir", &dir];
        if command == "serve" {
            arguments.extend(["--listen", "127.0.0.1:0"]);
        }
        let output = run_to_end(FRONTDESK, &arguments, &[]).await;
        refused(&output, 1, &["newer version", "format 99"]);
    }
    assert_eq!(fs::read_to_string(&file).expect("read"), newer);
}

/// Root writes where the mode forbids it, so the test needs a place that is read-only to root, too.
#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("data");
    fs::create_dir(&path).expect("a directory");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o555)).expect("a mode");
    let probe = fs::write(path.join("probe"), "x").is_ok();
    let target = if probe { std::path::PathBuf::from("/proc/frontdesk-data") } else { path };
    let target = target.to_str().expect("a plain path");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", target];
    let output = run_to_end(FRONTDESK, &arguments, &[]).await;
    refused(&output, 1, &[target]);
}

#[tokio::test]
async fn init_prints_one_json_object_and_refuses_a_weak_password() {
    let dir = tempfile::tempdir().expect("a directory");
    let (data, password) = (dir.path().join("data"), dir.path().join("password"));
    fs::write(&password, "password1\n").expect("written");
    let (data_arg, password_arg) =
        (data.to_str().expect("a plain path"), password.to_str().expect("a plain path"));
    let arguments = [
        "init",
        "--account",
        "Shop",
        "--admin-email",
        "owner@shop.example",
        "--admin-password-file",
        password_arg,
        "--data-dir",
        data_arg,
        "--json",
    ];
    let output = run_to_end(FRONTDESK, &arguments, &[]).await;
    refused(&output, 1, &["password"]);
    fs::write(&password, "correct horse battery staple 9\n").expect("written");
    let output = run_to_end(FRONTDESK, &arguments, &[]).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout.trim().lines().count(), 1, "{}", output.stdout);
    let object: Value = serde_json::from_str(&output.stdout).expect("JSON");
    for key in ["account_id", "admin_id", "inbox_key", "api_key"] {
        assert!(object[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {object}");
    }
    let key_mode =
        fs::metadata(data.join("keys/server.key")).expect("the key").permissions().mode();
    assert_eq!(key_mode & 0o777, 0o600);
    let output = run_to_end(FRONTDESK, &["doctor", "--data-dir", data_arg], &[]).await;
    assert!(output.status.success(), "{output:?}");
    // A second account may be made; the same e-mail address only once.
    let output = run_to_end(FRONTDESK, &arguments, &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[tokio::test]
async fn a_server_that_stopped_leaves_a_sound_directory() {
    let mut server = TestServer::start(FRONTDESK).await;
    let mut visitor = frontdesk_testkit::TestVisitor::connect(&server).await;
    visitor.say("one").await;
    server.kill9().await;
    let dir = server.data_dir().to_str().expect("a plain path").to_owned();
    let output = run_to_end(FRONTDESK, &["doctor", "--data-dir", &dir], &[]).await;
    assert!(output.status.success(), "after kill -9: {output:?}");
    server.restart().await;
    server.stop().await;
    let output = run_to_end(FRONTDESK, &["doctor", "--data-dir", &dir], &[]).await;
    assert!(output.status.success(), "after a stop: {output:?}");
}
