//! The shop's bot: the articles it answers from, its flows, and where it works. It needs no key of anybody.
//!
//! In the shop's own inbox it answers. Whoever wants a person's advice writes through the advisers' inbox, where it
//! suggests answers to them: so the console shows people at work, and what they are given.

use std::collections::BTreeMap;

use anyhow::Context as _;
use frontdesk_api::knowledge::put_of;
use frontdesk_bot::{BotDocument, Flow, InboxBot, InboxMode};
use frontdesk_catalog::{Catalog, DocumentKind, Inbox, NewDocument, PutArticle};
use frontdesk_core::{
    chat::{Actor, ActorKind, Participant, ParticipantKind},
    id::AccountId,
};
use frontdesk_knowledge::demo;

use super::{
    HasBot,
    people::{self, Cast},
    scenes::Language,
};
use crate::node::bots::setup;

const FLOWS: [&str; 2] = [
    include_str!("../../../../examples/flows/opening.yaml"),
    include_str!("../../../../examples/flows/order-status.yaml"),
];
const ENGLISH_NAME: &str = "Leaf";
const CHINESE_NAME: &str = "小叶";
/// Who wrote the documents, as their history says.
const AUTHOR: &str = "Admin";

/// Gives the demo its articles, flows and bot. What somebody has put there already stays as it is, so that a start
/// that was cut short goes on.
pub(super) async fn install(catalog: &Catalog) -> anyhow::Result<HasBot> {
    let account = people::demo_account(catalog).await?;
    if catalog.knowledge_version(account).await? == 0 {
        articles(catalog, account).await?;
    }
    if catalog.document(account, DocumentKind::Bot, "").await?.is_some() {
        // Somebody has a bot of their own, with a past of its own.
        return Ok(HasBot { advisers: String::new(), played: true });
    }
    for yaml in FLOWS {
        let name = flow(yaml)?.name;
        if catalog.document(account, DocumentKind::Flow, &name).await?.is_none() {
            set(catalog, account, DocumentKind::Flow, &name, yaml).await?;
        }
    }
    let shop = Cast::shop(catalog).await?;
    let advisers = people::advisers(catalog).await?;
    let inboxes = [(shop.id, InboxMode::Answer), (advisers, InboxMode::Suggest)];
    let document = BotDocument {
        name: names(),
        inboxes: inboxes
            .into_iter()
            .map(|(id, mode)| (id.to_string(), InboxBot { mode, ..InboxBot::default() }))
            .collect(),
        ..BotDocument::default()
    };
    let text = serde_json::to_string(&document).context("cannot write the demo's bot")?;
    set(catalog, account, DocumentKind::Bot, "", &text).await?;
    Ok(HasBot { advisers: advisers.to_string(), played: false })
}

/// Publishes the help centre, in one transaction.
async fn articles(catalog: &Catalog, account: AccountId) -> anyhow::Result<()> {
    // The shop's own from the first moment on: no import's.
    let put = |article| put_of(&article, article.published, "");
    let articles: Vec<PutArticle> = demo::articles().into_iter().map(put).collect();
    let done = catalog.put_articles(account, &articles).await;
    let done = done.context("cannot store the demo's articles")?;
    for (article, put) in articles.iter().zip(done) {
        put.with_context(|| format!("cannot store the article {}", article.slug))?;
    }
    Ok(())
}

/// The demo's articles with the ids they have in the catalog, as they are shipped: whatever has become of them there, the
/// bot's past stays the same.
pub(super) async fn articles_of(
    catalog: &Catalog,
    account: AccountId,
) -> anyhow::Result<Vec<frontdesk_knowledge::Article>> {
    let mut articles = demo::articles();
    let known = catalog.published_articles(account, None, articles.len()).await?;
    for article in &mut articles {
        if let Some(known) = known.iter().find(|known| known.slug == article.slug) {
            article.id = known.id.to_string();
        }
    }
    Ok(articles)
}

async fn set(
    catalog: &Catalog,
    account: AccountId,
    kind: DocumentKind,
    name: &str,
    text: &str,
) -> anyhow::Result<()> {
    let new = NewDocument { document: text, sealed: None, by_name: AUTHOR };
    let set = catalog.set_document(account, kind, name, new, 0).await;
    set.with_context(|| format!("cannot store the demo's {} {name}", kind.code()))?;
    Ok(())
}

fn flow(yaml: &str) -> anyhow::Result<Flow> {
    let first = |problems: Vec<frontdesk_bot::Problem>| {
        problems.into_iter().next().map(|problem| problem.to_string()).unwrap_or_default()
    };
    Flow::parse(yaml).map_err(|problems| anyhow::anyhow!("a flow of the demo: {}", first(problems)))
}

/// The flows as the demo ships them.
pub(super) fn flows() -> anyhow::Result<Vec<Flow>> {
    FLOWS.into_iter().map(flow).collect()
}

/// What it calls itself.
pub(super) fn names() -> BTreeMap<String, String> {
    [(Language::English.tag(), ENGLISH_NAME), (Language::Chinese.tag(), CHINESE_NAME)]
        .map(|(language, name)| (language.to_owned(), name.to_owned()))
        .into()
}

/// The inbox where people answer and the bot suggests, unless people of the demo have deleted it.
pub(super) async fn advisers(
    catalog: &Catalog,
    has: Option<&HasBot>,
) -> anyhow::Result<Option<Inbox>> {
    let Some(has) = has else { return Ok(None) };
    let inboxes = catalog.inboxes(people::demo_account(catalog).await?).await?;
    Ok(inboxes.into_iter().find(|inbox| inbox.id.to_string() == has.advisers))
}

/// The bot as one who acts: an account's bot has the account's id.
pub(super) fn actor(account: AccountId, language: Language) -> Actor {
    let name = match language {
        Language::Chinese => CHINESE_NAME,
        Language::English => ENGLISH_NAME,
    };
    Actor { kind: ActorKind::Bot.into(), id: setup::id_of(account), name: name.to_owned() }
}

/// The bot as the owner of a session.
pub(super) fn participant(actor: &Actor) -> Participant {
    Participant {
        kind: ParticipantKind::Bot.into(),
        id: actor.id.clone(),
        name: actor.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flows_of_the_examples_hold() {
        let flows = flows().expect("they are parsed");
        let names: Vec<&str> = flows.iter().map(|flow| flow.name.as_str()).collect();
        assert_eq!(names, ["opening", "order-status"]);
    }

    #[test]
    fn what_is_set_up_is_within_the_limits() {
        let document = BotDocument { name: names(), ..BotDocument::default() };
        assert_eq!(document.check(), Ok(()));
        assert_eq!(document.own_name(), ENGLISH_NAME);
    }
}
