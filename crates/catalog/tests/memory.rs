//! The memory of password hashes goes back to the system. A test binary of its own: the figure is
//! that of the whole process.
#![cfg(target_os = "linux")]

use frontdesk_catalog::{Catalog, Password};

/// Resident memory of this process.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has VmRSS");
    line.trim_end_matches("kB").trim().parse().expect("it is a number")
}

#[tokio::test]
async fn a_dozen_sign_ins_leave_no_19_mib_behind() {
    let dir = tempfile::tempdir().expect("a directory can be made");
    let catalog = Catalog::open(&dir.path().join("catalog.db")).await.expect("it opens");
    let before_kib = resident_kib();
    let password = Password::new("a wrong password");
    for _ in 0..6 {
        let both = tokio::join!(
            catalog.sign_in("ann@example.com", &password),
            catalog.sign_in("bob@example.com", &password),
        );
        assert!(both.0.is_err() && both.1.is_err());
    }
    let grown_kib = resident_kib().saturating_sub(before_kib);
    assert!(grown_kib < 8 * 1024, "grown by {grown_kib} KiB");
}
