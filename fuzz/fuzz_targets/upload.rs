//! An uploaded file: its kind is recognised, its name cleaned, an image decoded and encoded again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| frontdesk_api::files::fuzzing::upload(bytes));
