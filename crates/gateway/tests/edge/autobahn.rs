//! R11: the Autobahn test suite, cases 1-7, 9 and 10, against the echo on our own loops.
//!
//! The suite runs on Python 2.7 only. It is installed once, into `frontdesk/autobahn` of the user's
//! cache folder. Without Python 2.7 this test says so and is skipped.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use frontdesk_gateway::edge::EdgeLimits;

use super::server::Server;

#[test]
#[expect(clippy::print_stderr, reason = "a skip must be loud, the result seen")]
fn r11_autobahn_finds_no_failure_and_no_unclean_close() {
    let Some(wstest) = suite() else {
        eprintln!("SKIPPED r11_autobahn: Python 2.7 with pip was not found (pyenv install 2.7.18)");
        return;
    };
    // Its messages reach 16 MiB, its fragments 64 bytes; all checks stay on.
    let server = Server::start(&EdgeLimits {
        frame_bytes_max: 32 << 20,
        message_bytes_max: 32 << 20,
        fragments_max: 1 << 20,
        out_queue_bytes_max: 64 << 20,
        silence_max: Duration::from_mins(10),
        ..EdgeLimits::default()
    });
    let folder =
        wstest.parent().unwrap().parent().unwrap().join(format!("run-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let spec = serde_json::json!({
        "outdir": folder.join("report"),
        "servers": [{ "agent": "frontdesk", "url": format!("ws://{}/echo", server.address) }],
        "cases": ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"],
        "exclude-cases": [],
    });
    fs::write(folder.join("spec.json"), spec.to_string()).unwrap();
    let run = Command::new(&wstest)
        .args(["-m", "fuzzingclient", "-s"])
        .arg(folder.join("spec.json"))
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let index = fs::read(folder.join("report/index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let cases = index["frontdesk"].as_object().unwrap();
    let mut behaviours = BTreeMap::<(&str, &str), usize>::new();
    let mut bad = Vec::new();
    for (case, result) in cases {
        for field in ["behavior", "behaviorClose"] {
            let value = result[field].as_str().unwrap();
            *behaviours.entry((field, value)).or_default() += 1;
            if !matches!(value, "OK" | "NON-STRICT" | "INFORMATIONAL") {
                bad.push(format!("{case}: {field} {value}"));
            }
        }
    }
    eprintln!("autobahn: {} cases, {behaviours:?}", cases.len());
    assert!(cases.len() >= 250, "only {} cases ran", cases.len());
    assert_eq!(bad, [""; 0], "see {}", folder.join("report").display());
    fs::remove_dir_all(&folder).unwrap();
}

/// The suite's program, installed on first use.
fn suite() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    let folder = cache.join("frontdesk/autobahn");
    let wstest = folder.join("venv/bin/wstest");
    if wstest.exists() {
        return Some(wstest);
    }
    fs::create_dir_all(&folder).unwrap();
    // A Python of pyenv wants its version named; any other ignores the variable.
    let python = |arguments: &[&str]| {
        let mut command = Command::new("python2.7");
        command.env("PYENV_VERSION", "2.7.18").args(arguments).current_dir(&folder);
        command.output().is_ok_and(|output| output.status.success())
    };
    if !python(&["-m", "pip", "--version"]) {
        return None;
    }
    // From here on a failure is one of the machine and must not look like a pass.
    assert!(python(&["-m", "pip", "install", "--quiet", "--target", "tools", "virtualenv"]));
    let mut make = Command::new("python2.7");
    make.env("PYENV_VERSION", "2.7.18").env("PYTHONPATH", folder.join("tools"));
    let made = make.args(["-m", "virtualenv", "--quiet", "venv"]).current_dir(&folder).status();
    assert!(made.unwrap().success());
    let pip = Command::new(folder.join("venv/bin/pip"))
        .args(["install", "--quiet", "autobahntestsuite==25.10.1"])
        .status();
    assert!(pip.unwrap().success());
    Some(wstest)
}
