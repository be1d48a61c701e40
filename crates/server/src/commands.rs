//! The commands that do one thing and exit: init, doctor, user, account.

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use frontdesk_catalog::{
    Account as CatalogAccount, Catalog, Granter, NewAccount, NewUser, Password,
};
use frontdesk_core::id::AccountId;
use frontdesk_dispatcher::projections::Projections;
use serde_json::json;

use crate::{
    cli::{Account, Init, Place, User},
    config::{Config, Flags},
    data_dir::{DataDir, Missing},
    node::{self, now_ms},
    progress::Progress,
};

/// Longest password file that is read, bytes.
const PASSWORD_FILE_MAX: u64 = 4_096;

/// Prints a line for the person at the terminal.
pub(crate) fn say(text: &str) {
    // Whoever closed the pipe wants no more of it.
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Says what went wrong.
pub(crate) fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "frontdesk: {text}"));
}

fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(future)
}

/// `frontdesk init`: the first account without a browser.
pub(crate) fn init(config: &Config, init: &Init) -> anyhow::Result<ExitCode> {
    let password = password_of(&init.admin_password_file)?;
    password.check().context("the password is refused")?;
    let partitions = config.storage.partitions();
    let missing = Missing::Create { partitions, demo: false, now_ms: now_ms() };
    let data_dir = DataDir::open(&config.server.data_dir, missing)?;
    if data_dir.installation.demo {
        anyhow::bail!("{} belongs to a demo; choose another --data-dir", data_dir.path().display());
    }
    let made = block_on(async {
        let catalog =
            node::open_catalog(config, &data_dir).await.context("cannot open the catalog")?;
        let made = catalog
            .create_account_with_admin(NewAccount {
                name: init.account.clone(),
                language: "en".to_owned(),
                demo: false,
                owner_email: init.admin_email.clone(),
                owner_name: init.admin_email.split('@').next().unwrap_or("Admin").to_owned(),
                owner_password: password,
                origins: Vec::new(),
            })
            .await
            .context("cannot create the account")?;
        catalog.database().close().await;
        Ok(made)
    })?;
    if init.json {
        let object = json!({
            "account_id": made.account.to_string(),
            "admin_id": made.owner.to_string(),
            "inbox_key": made.inbox_key,
            "api_key": made.api_key,
        });
        say(&object.to_string());
    } else {
        say(&format!(
            "Account {} is ready.\n  admin      {} ({})\n  inbox key  {}\n  api key    {}\n\
             The API key is shown only now.",
            made.account, init.admin_email, made.owner, made.inbox_key, made.api_key
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// `frontdesk doctor`: every part of a data directory is read and checked.
pub(crate) fn doctor(config: &Config) -> anyhow::Result<ExitCode> {
    let data_dir = DataDir::open(&config.server.data_dir, Missing::Refuse)?;
    let progress = Progress::on_terminal();
    let bar = progress.begin("checking", 0);
    let report = frontdesk_storage_embedded::doctor::check(
        &data_dir.path().join("log"),
        &data_dir.history(),
        &mut |step| {
            bar.set_total(step.total);
            bar.set(step.done);
        },
    );
    drop(bar);
    let mut findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    findings.extend(block_on(async {
        let mut found = Vec::new();
        for (path, opened) in [
            (data_dir.catalog(), check_catalog(&data_dir.catalog()).await),
            (data_dir.projections(), check_projections(&data_dir.projections()).await),
        ] {
            match opened {
                Ok(lines) => {
                    found.extend(
                        lines.into_iter().map(|line| format!("{}: {line}", path.display())),
                    );
                }
                Err(error) => found.push(format!("{}: {error:#}", path.display())),
            }
        }
        Ok(found)
    })?);
    for note in &report.notes {
        complain(note);
    }
    if findings.is_empty() {
        say(&format!("{} is sound", data_dir.path().display()));
        return Ok(ExitCode::SUCCESS);
    }
    for finding in findings {
        say(&finding);
    }
    Ok(ExitCode::FAILURE)
}

async fn check_catalog(path: &Path) -> anyhow::Result<Vec<String>> {
    let catalog = Catalog::open(path).await?;
    let findings = catalog.database().check().await?;
    catalog.database().close().await;
    Ok(findings)
}

async fn check_projections(path: &Path) -> anyhow::Result<Vec<String>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let projections = Projections::open(path).await?;
    let findings = projections.database().check().await?;
    projections.database().close().await;
    Ok(findings)
}

/// `frontdesk user ...`
pub(crate) fn user(user: User) -> anyhow::Result<ExitCode> {
    match user {
        User::Create { place, account, email, name, role, password_file } => {
            let password = password_of(&password_file)?;
            with_catalog(&place, async |catalog| {
                let account = the_account(catalog, account.as_deref()).await?;
                let roles = catalog.roles(account.id).await?;
                let named = roles.iter().find(|known| {
                    known.builtin.is_some_and(|builtin| builtin.code() == role)
                        || known.names.iter().any(|(_, name)| name == role)
                });
                let named = named.with_context(|| format!("there is no role {role}"))?;
                let new = NewUser {
                    email: email.clone(),
                    display_name: name.clone(),
                    language: account.language.clone(),
                    role: named.id,
                    capacity: None,
                    skills: Vec::new(),
                    teams: Vec::new(),
                };
                let member = catalog
                    .create_user(account.id, &new, &password, Granter::operator())
                    .await
                    .context("cannot create the user")?;
                say(&member.user.id.to_string());
                Ok(())
            })
        }
        User::List { place, account } => with_catalog(&place, async |catalog| {
            let account = the_account(catalog, account.as_deref()).await?;
            let roles = catalog.roles(account.id).await?;
            for member in catalog.users(account.id).await? {
                let role = roles.iter().find(|role| role.id == member.role);
                let role = role.and_then(|role| role.names.pick("en")).unwrap_or_default();
                let state =
                    if member.disabled || member.user.disabled { "  (disabled)" } else { "" };
                let user = &member.user;
                say(&format!("{}  {}  {}  {role}{state}", user.id, user.email, user.display_name));
            }
            Ok(())
        }),
        User::Password { place, email, password_file } => {
            let password = password_of(&password_file)?;
            with_catalog(&place, async |catalog| {
                let user = catalog.find_user(&email).await.context("cannot find the user")?;
                catalog
                    .operator_set_password(user.id, &password)
                    .await
                    .context("cannot set the password")?;
                say("the password is set; all login sessions of the user have ended");
                Ok(())
            })
        }
    }
}

/// `frontdesk account ...`
pub(crate) fn account(account: Account) -> anyhow::Result<ExitCode> {
    let Account::List { place } = account;
    with_catalog(&place, async |catalog| {
        for account in catalog.accounts().await? {
            say(&format!("{}  {}", account.id, account.name));
        }
        Ok(())
    })
}

/// Works on the catalog of a data directory no server uses.
fn with_catalog(
    place: &Place,
    work: impl AsyncFnOnce(&Catalog) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let flags =
        Flags { file: place.config.clone(), data_dir: place.data_dir.clone(), listen: None };
    let config = Config::load(&flags, std::env::vars())?;
    let data_dir = DataDir::open(&config.server.data_dir, Missing::Refuse)?;
    block_on(async {
        let catalog =
            node::open_catalog(&config, &data_dir).await.context("cannot open the catalog")?;
        let result = work(&catalog).await;
        catalog.database().close().await;
        result
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn the_account(catalog: &Catalog, id: Option<&str>) -> anyhow::Result<CatalogAccount> {
    if let Some(id) = id {
        let id: AccountId = id.parse().context("--account")?;
        return catalog.account(id).await.context("cannot find the account");
    }
    let mut accounts = catalog.accounts().await?;
    match accounts.len() {
        1 => Ok(accounts.remove(0)),
        0 => anyhow::bail!("there is no account yet; run `frontdesk init` first"),
        _ => anyhow::bail!("there are several accounts; name one with --account"),
    }
}

/// The first line of a file, so that a password never stands on a command line.
fn password_of(path: &PathBuf) -> anyhow::Result<Password> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(PASSWORD_FILE_MAX).read_to_string(&mut text))
        .with_context(|| format!("cannot read the password file {}", path.display()))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        anyhow::bail!("the password file {} is empty", path.display());
    }
    Ok(Password::new(line))
}
