//! The demo while the node runs: its colleagues, and the visitors who come by.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use anyhow::Context as _;
use frontdesk_api::demo::Demo;
use frontdesk_catalog::Catalog;
use frontdesk_protocol::wire::Presence;
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{
    Back, Seeded, bot,
    colleague::{Colleague, Yun},
    door::Door,
    pace::Pace,
    people::Cast,
    scenes::Language,
    visitors::{Guests, Returning, Street},
};

/// From Lin being online to the first visitor who comes back, and from each to the next.
const COMES_BACK: Duration = Duration::from_secs(4);

/// What the demo does by itself; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Life {
    _tasks: JoinSet<()>,
}

impl Life {
    /// Begins with whoever the demo has: a quiet one has visitors only, and they are paused.
    pub(crate) async fn begin(
        seeded: &Seeded,
        catalog: &Catalog,
        demo: Demo,
        address: SocketAddr,
        base: &str,
        speed: u32,
    ) -> anyhow::Result<Self> {
        let shop = Cast::shop(catalog).await?;
        let advisers = bot::advisers(catalog, seeded.bot.as_ref()).await?;
        let door = Door::new(address);
        let pace = Pace::new(demo.paused(), speed);
        let guests = Guests::default();
        let street = Street {
            door: door.clone(),
            demo,
            pace: pace.clone(),
            // Where there are no advisers, everybody writes to the shop.
            advisers_key: advisers.as_ref().map_or(&shop, |inbox| inbox).public_key.clone(),
            shop_key: shop.public_key,
            guests: guests.clone(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(street.clone().run());
        let Some(played) = seeded.scenes.as_ref().filter(|_| !seeded.quiet) else {
            return Ok(Self { _tasks: tasks });
        };
        let cast = Cast::find(catalog).await?;
        let (people, online) = watch::channel(HashSet::new());
        for person in &seeded.colleagues {
            let name = person.email.split('@').next().unwrap_or_default();
            // Of the shop's team nobody is online, or its visitors would be told that somebody is.
            let presence = if name == "chen" { Presence::Online } else { Presence::Away };
            let colleague = Colleague { person: person.clone(), door: door.clone(), presence };
            if name != "yun" {
                tasks.spawn(colleague.sit());
                continue;
            }
            let ids = seeded.colleagues.iter().filter_map(|person| {
                let name = person.email.split('@').next().unwrap_or_default();
                Some(cast.agent(name)?.id)
            });
            let yun = Yun {
                colleague,
                pace: pace.clone(),
                id: cast.agent(name).context("Yun is not there any more")?.id,
                shop: cast.shop.to_string(),
                advisers: advisers.as_ref().map(|inbox| inbox.id.to_string()).unwrap_or_default(),
                guests: guests.clone(),
                played: ids.collect(),
                scenes: played.open.iter().cloned().collect(),
                console: format!("{base}/"),
                people: people.clone(),
            };
            tasks.spawn(yun.run());
        }
        if let Some(lin) = cast.agent("lin") {
            tasks.spawn(come_back(street, lin.id, online, played.returning.clone()));
        }
        Ok(Self { _tasks: tasks })
    }
}

/// Once Lin is online, visitors of Lin's scenes write again, one after the other.
async fn come_back(
    street: Street,
    lin: String,
    mut online: watch::Receiver<HashSet<String>>,
    returning: Vec<Back>,
) {
    if online.wait_for(|people| people.contains(&lin)).await.is_err() {
        return;
    }
    let mut visits = JoinSet::new();
    for back in returning {
        street.pace.clone().go_on().await;
        sleep(COMES_BACK).await;
        visits.spawn(street.clone().come_back(Returning {
            token: back.token,
            language: Language::of(&back.language),
            text: back.text,
        }));
    }
    visits.join_all().await;
}
