//! What can be wrong at the start, each with an error a person can act on, and what `init` leaves.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use frontdesk_testkit::{Http, Output, TestServer, run_to_end, soon};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

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

/// A file system of its own that is taken away when the test ends.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        // What is still busy is let go when it no longer is.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let status = Command::new("mount").args(arguments).arg(at).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Root writes where the mode forbids it, so the place has to be read-only to root, too.
#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).expect("a directory");
    let mounted = mount(&["-t", "tmpfs", "-o", "size=64m", "tmpfs"], &disk);
    let _mounted = Mounted(disk.clone());
    let data = disk.join("data");
    let target = data.to_str().expect("a plain path");
    let mut server = TestServer::builder(FRONTDESK).data_dir(&data).start().await;
    server.stop().await;
    let read_only = if mounted {
        mount(&["-o", "remount,ro"], &disk)
    } else {
        // Not root, then: the mode is enough.
        fs::set_permissions(&data, fs::Permissions::from_mode(0o555)).is_ok()
    };
    assert!(read_only, "the place can be made read-only");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", target];
    let output = run_to_end(FRONTDESK, &arguments, &[]).await;
    refused(&output, 1, &[target]);
    let fresh = data.join("fresh");
    let fresh = fresh.to_str().expect("a plain path");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", fresh];
    let output = run_to_end(FRONTDESK, &arguments, &[]).await;
    refused(&output, 1, &[fresh]);
}

/// The announcement of `serve --demo`, up to the line that says how to stop.
async fn demo(data_dir: &str) -> Result<String, Output> {
    let arguments =
        ["serve", "--demo", "--quiet-demo", "--listen", "127.0.0.1:0", "--data-dir", data_dir];
    let mut child = tokio::process::Command::new(FRONTDESK)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut said = String::new();
    let announced = soon("the demo says how to enter", async {
        while let Some(line) = lines.next_line().await.expect("text") {
            said.push_str(&line);
            said.push('\n');
            if line.contains("Ctrl+C") {
                return true;
            }
        }
        false
    });
    if announced.await {
        child.kill().await.expect("it runs");
        return Ok(said);
    }
    Err(run_to_end(FRONTDESK, &arguments, &[]).await)
}

#[tokio::test]
async fn a_demo_says_how_to_enter_and_says_the_same_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let data = data.to_str().expect("a plain path");
    let passwords = |said: &str| -> Vec<String> {
        let lines = said.lines().filter(|line| line.contains("@demo.example"));
        lines.filter_map(|line| line.split_whitespace().last().map(str::to_owned)).collect()
    };
    let first = demo(data).await.expect("a demo in an empty directory");
    for part in ["/demo", "Console", "admin@demo.example", "lin@demo.example"] {
        assert!(first.contains(part), "no {part} in: {first}");
    }
    let drawn = passwords(&first);
    assert_eq!(drawn.len(), 3, "{first}");
    assert!(drawn.iter().all(|password| password.len() == 22), "128 random bits each: {first}");
    assert_eq!(passwords(&demo(data).await.expect("again")), drawn);
    let other = dir.path().join("other");
    let other = demo(other.to_str().expect("a plain path")).await.expect("another demo");
    assert_ne!(passwords(&other), drawn, "each demo draws its own");
}

#[tokio::test]
async fn a_demo_says_how_to_enter_as_one_line_of_json() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let data = data.to_str().expect("a plain path");
    let mut child = tokio::process::Command::new(FRONTDESK)
        .args(["serve", "--demo", "--quiet-demo", "--json"])
        .args(["--listen", "127.0.0.1:0", "--data-dir", data])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = soon("the demo says how to enter", lines.next_line()).await.expect("text");
    let said: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
    let base = said["console"].as_str().expect("the console's address").trim_end_matches('/');
    assert_eq!(said["shop"], format!("{base}/demo"));
    let address = base.trim_start_matches("http://").parse().expect("an address and a port");
    let mut roles = Vec::new();
    for (role, user) in said["users"].as_object().expect("users") {
        roles.push(role.as_str());
        Http::new(address).post("/api/v1/sign-in", user).await.ok();
    }
    roles.sort_unstable();
    assert_eq!(roles, ["admin", "agent", "supervisor"]);
    // Nothing but this line comes out.
    child.kill().await.expect("it runs");
    assert_eq!(soon("the end of what it says", lines.next_line()).await.expect("text"), None);
}

#[tokio::test]
async fn a_demo_never_starts_beside_an_account_of_ones_own() {
    let mut server = TestServer::start(FRONTDESK).await;
    server.stop().await;
    let data = server.data_dir().to_str().expect("a plain path");
    let output = demo(data).await.expect_err("no demo");
    refused(&output, 1, &[data, "account of your own"]);
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
    assert_eq!(output.stderr, "", "in a pipe no progress is shown");
}
