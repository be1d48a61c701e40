//! The memory of password hashes goes back to the system. A test binary of its own: the figure is
//! that of the whole process, with the allocator the server has.
#![cfg(target_os = "linux")]

use frontdesk_catalog::{Catalog, Password};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sizes of things that are allocated beside the hashes, one for each size of page the allocator has.
const BESIDE_BYTES: [usize; 4] = [1_000, 20_000, 100_000, 400_000];
/// What all of it may take, the catalog itself included.
const GROWN_KIB_MAX: u64 = 12 * 1024;

/// Resident memory of this process.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has VmRSS");
    line.trim_end_matches("kB").trim().parse().expect("it is a number")
}

#[tokio::test]
async fn a_dozen_sign_ins_leave_no_19_mib_behind() {
    let dir = tempfile::tempdir().expect("a directory can be made");
    let before_kib = resident_kib();
    // The first hash is made here.
    let catalog = Catalog::open(&dir.path().join("catalog.db")).await.expect("it opens");
    let password = Password::new("a wrong password");
    let mut beside: Vec<Vec<u8>> = Vec::new();
    for _ in 0..6 {
        let both = tokio::join!(
            catalog.sign_in("ann@example.com", &password),
            catalog.sign_in("bob@example.com", &password),
        );
        assert!(both.0.is_err() && both.1.is_err());
        // What other requests keep lies where the allocator has room.
        beside.extend(BESIDE_BYTES.map(|bytes| vec![1; bytes]));
    }
    let grown_kib = resident_kib().saturating_sub(before_kib);
    assert!(grown_kib < GROWN_KIB_MAX, "grown by {grown_kib} KiB");
    assert_eq!(beside.len(), 24);
}
