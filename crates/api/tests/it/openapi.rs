//! The contract: spec built = spec served = file in the repository (C7).

use serde_json::Value;

use crate::support::Server;

#[tokio::test]
async fn the_document_served_is_the_one_built() {
    let server = Server::start().await;
    let served = server.browser().get("/openapi.json").await.text().await.unwrap();
    assert_eq!(served, frontdesk_api::openapi_json());
}

#[test]
fn the_document_in_the_repository_is_the_one_built() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let built = frontdesk_api::openapi_json();
    assert!(
        kept == built,
        "docs/openapi.json is not what the code says: `frontdesk openapi` writes it"
    );
}

#[test]
fn every_operation_says_what_it_does_and_how_it_fails() {
    let document: Value = serde_json::from_str(&frontdesk_api::openapi_json()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{place}");
            assert!(operation["operationId"].is_string(), "{place}");
            assert!(operation["tags"].is_array(), "{place}");
            if path.starts_with("/api/v1") {
                assert!(operation["responses"]["4XX"].is_object(), "{place}");
            }
        }
    }
}

#[test]
fn operation_ids_are_unique() {
    let document: Value = serde_json::from_str(&frontdesk_api::openapi_json()).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(id.to_owned()), "{id} twice");
        }
    }
}
