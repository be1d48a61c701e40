//! What the tests of both databases use: accounts and users to begin with, and errors that are due.

use frontdesk_catalog::{Error, Granter, NewAccount, NewUser, Password};
use frontdesk_core::id::RoleId;

/// A password that passes the rules.
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn new_account(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        language: "en".to_owned(),
        demo: false,
        owner_email: format!("owner@{name}.example"),
        owner_name: format!("{name} owner"),
        owner_password: Password::new(PASSWORD),
        origins: vec![format!("https://{name}.example")],
    }
}

pub(crate) fn new_user(email: &str, role: RoleId) -> NewUser {
    NewUser {
        email: email.to_owned(),
        display_name: "Somebody".to_owned(),
        language: "zh-CN".to_owned(),
        role,
        capacity: None,
        skills: Vec::new(),
        teams: Vec::new(),
    }
}

pub(crate) fn operator() -> Granter {
    Granter::operator()
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Error>, code: &str) {
    match result {
        Ok(value) => panic!("{value:?} where {code} was due"),
        Err(error) => assert_eq!(error.code(), code, "{error}"),
    }
}

#[track_caller]
pub(crate) fn unknown<T: std::fmt::Debug>(result: Result<T, Error>) {
    refused(result, "not_found");
}

#[track_caller]
pub(crate) fn conflict<T: std::fmt::Debug>(result: Result<T, Error>, reason: &str) {
    match result {
        Err(Error::Conflict { reason: found, .. }) => assert_eq!(found, reason),
        other => panic!("{other:?} where a conflict {reason} was due"),
    }
}

#[track_caller]
pub(crate) fn invalid<T: std::fmt::Debug>(result: Result<T, Error>, field: &str, reason: &str) {
    match result {
        Err(Error::Invalid { field: f, reason: r }) => assert_eq!((f.as_str(), r), (field, reason)),
        other => panic!("{other:?} where {field}: {reason} was due"),
    }
}
