//! Frames of the chat protocol, of both sides in both subprotocols. What decodes encodes again, to the
//! same frame.
#![no_main]

use frontdesk_protocol::{Encoding, decode_client, decode_server, encode_client, encode_server};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for encoding in [Encoding::Proto, Encoding::Json] {
        let mut again = Vec::new();
        if let Ok(frame) = decode_client(encoding, bytes)
            && encode_client(encoding, &frame, &mut again).is_ok()
        {
            let reread = decode_client(encoding, &again).expect("what was encoded decodes");
            assert_eq!(format!("{reread:?}"), format!("{frame:?}"));
        }
        again.clear();
        if let Ok(frame) = decode_server(encoding, bytes)
            && encode_server(encoding, &frame, &mut again).is_ok()
        {
            let reread = decode_server(encoding, &again).expect("what was encoded decodes");
            assert_eq!(format!("{reread:?}"), format!("{frame:?}"));
        }
    }
});
