//! Who works at the demo's shop, and what is configured for them.

use anyhow::Context as _;
use frontdesk_catalog::{
    Builtin, Catalog, Granter, Inbox, InboxChange, InboxText, Look, Member, NewAccount, NewInbox,
    NewReply, NewUser, Password, Presence, RoutingMode, Texts,
    settings::{self, Place},
};
use frontdesk_core::{
    chat::{Actor, ActorKind, Participant, ParticipantKind},
    id::{AccountId, InboxId, TeamId, UserId},
};
use serde_json::Value;

use super::{
    Person,
    scenes::{Colleague, TeamName},
};

const CHINESE: &str = "zh-CN";
const ENGLISH: &str = "en";

/// Canned replies: shortcut, Chinese, English; the first five belong to sales, the next five to
/// support, the rest to both.
const REPLIES: [(&str, &str, &str); 12] = [
    (
        "欢迎",
        "您好，欢迎光临云杉茶器！请问想了解哪一款？",
        "Hello and welcome to Spruce Tea! Which piece may I tell you about?",
    ),
    (
        "刻字",
        "杯底可以刻两到四个字，不另收费，工期多三天。",
        "We engrave two to four characters on the base at no charge; it takes three days more.",
    ),
    (
        "批发",
        "单次满 50 件 8 折，满 200 件 7 折，季度结算；样品款可在后续订单中抵扣。",
        "From 50 pieces it is 20 % off, from 200 pieces 30 %, settled quarterly. Samples count towards your first order.",
    ),
    (
        "保养",
        "釉面器物建议手洗，粗陶壶第一次使用前用开水煮十分钟去土味。",
        "Wash glazed pieces by hand. Boil a stoneware teapot for ten minutes before its first use.",
    ),
    (
        "开窑",
        "每月第一个周六开窑，新品当天上午十点上架。",
        "We fire on the first Saturday of each month; new pieces go online at ten that morning.",
    ),
    (
        "发货",
        "现货当天下午四点前的订单当天发出，单号会以短信通知您。",
        "Orders before four in the afternoon ship the same day; you get the tracking number by message.",
    ),
    (
        "退货",
        "签收后 30 天内可以退货。寄回地址：浙江省龙泉市剑池街道窑前路 8 号，请附上订单号。",
        "You may return it within 30 days. Please put your order number into the parcel; the label is on its way to your inbox.",
    ),
    (
        "补发",
        "非常抱歉，我们今天补发一件给您，破损的不用寄回。",
        "I am sorry about that. A new one leaves today, and you need not send the broken one back.",
    ),
    (
        "退款",
        "退款已原路退回，银行卡一般 3 到 5 个工作日到账。",
        "Your refund is on its way to the card you paid with; banks take 3 to 5 working days.",
    ),
    (
        "发票",
        "请把抬头和税号发给我，电子发票两分钟内到您的邮箱。",
        "Send me the name and tax number, and the invoice is in your inbox in two minutes.",
    ),
    ("稍等", "请稍等，我帮您查一下。", "One moment please, I am looking it up."),
    ("感谢", "谢谢您的光临，祝您喝茶愉快！", "Thank you for stopping by. Enjoy your tea!"),
];

const ADVISERS: &str = "顾问 Advisers";

/// What visitors of the shop may ask with one click.
const QUESTIONS_ZH: [&str; 3] = ["盖碗有礼盒包装吗？", "多久能收到货？", "可以刻字吗？"];
const QUESTIONS_EN: [&str; 3] = [
    "Does the gaiwan come in a gift box?",
    "How long does delivery take?",
    "Can you engrave a name?",
];

/// Everybody and everything a scene may name.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    pub(super) account: AccountId,
    /// Where the widget of the shop leads; the router hands out its sessions.
    pub(super) shop: InboxId,
    /// Where customers with an order write; agents take from its queue.
    pub(super) after_sales: InboxId,
    sales: TeamId,
    support: TeamId,
    members: Vec<Member>,
}

/// Creates the account with its admin, the agent and the supervisor.
pub(super) async fn create(catalog: &Catalog, people: &[Person]) -> anyhow::Result<()> {
    let [admin, agent, supervisor] = people else { anyhow::bail!("three people are expected") };
    let made = catalog
        .create_account_with_admin(NewAccount {
            name: "云杉茶器 Spruce Tea".to_owned(),
            language: CHINESE.to_owned(),
            demo: true,
            owner_email: admin.email.clone(),
            owner_name: "Admin".to_owned(),
            owner_password: Password::new(admin.password.clone()),
            origins: Vec::new(),
        })
        .await
        .context("cannot create the demo account")?;
    add(catalog, made.account, agent, "Lin 林", Builtin::Agent).await?;
    add(catalog, made.account, supervisor, "Mei 梅", Builtin::Supervisor).await?;
    set(catalog, made.account, settings::SNEAK_PEEK.spec().name, Value::Bool(true)).await
}

async fn add(
    catalog: &Catalog,
    account: AccountId,
    person: &Person,
    name: &str,
    builtin: Builtin,
) -> anyhow::Result<()> {
    let role = catalog.builtin_role(account, builtin).await?;
    let user = NewUser {
        email: person.email.clone(),
        display_name: name.to_owned(),
        language: CHINESE.to_owned(),
        role: role.id,
        capacity: None,
        skills: Vec::new(),
        teams: Vec::new(),
    };
    let password = Password::new(person.password.clone());
    catalog
        .create_user(account, &user, &password, Granter::operator())
        .await
        .context("cannot create a demo user")?;
    Ok(())
}

async fn set(
    catalog: &Catalog,
    account: AccountId,
    name: &'static str,
    value: Value,
) -> anyhow::Result<()> {
    catalog
        .set_setting(account, Place::Account, name, &value)
        .await
        .with_context(|| format!("cannot set {name} of the demo account"))
}

/// Adds colleagues, teams, a second inbox and replies. What is there already stays: a start that was
/// cut short goes on.
pub(super) async fn add_life(catalog: &Catalog, colleagues: &[Person]) -> anyhow::Result<()> {
    let account = demo_account(catalog).await?;
    let known = catalog.users(account).await?;
    for (person, name) in colleagues.iter().zip(["Chen 陈", "Ada", "Yun 小云 (demo)"]) {
        if known.iter().all(|member| member.user.email != person.email) {
            add(catalog, account, person, name, Builtin::Agent).await?;
        }
    }
    let users = catalog.users(account).await?;
    let ids = |names: &[&str]| -> Vec<UserId> {
        let has = |member: &&Member| names.iter().any(|name| is(member, name));
        users.iter().filter(has).map(|member| member.user.id).collect()
    };
    if catalog.teams(account).await?.is_empty() {
        for (chinese, english, members) in [
            ("售前", "Sales", ids(&["lin", "mei", "admin", "ada", "yun"])),
            ("售后", "Support", ids(&["lin", "mei", "admin", "chen"])),
        ] {
            let names = Texts::one(CHINESE, chinese).with(ENGLISH, english);
            catalog
                .create_team(account, &names, &members)
                .await
                .context("cannot create a demo team")?;
        }
    }
    // Nobody is given work the demo's own colleagues cannot do.
    for id in ids(&["chen", "ada", "yun"]) {
        catalog.set_capacity(account, id, Some(0)).await.context("cannot change a demo user")?;
    }
    let teams = catalog.teams(account).await?;
    let [sales, support] = &teams[..] else { anyhow::bail!("two demo teams are expected") };
    inboxes(catalog, account, sales.id, support.id).await?;
    if catalog.replies(account).await?.is_empty() {
        for (at, (shortcut, chinese, english)) in REPLIES.into_iter().enumerate() {
            let reply = NewReply {
                team: match at {
                    0..5 => Some(sales.id),
                    5..10 => Some(support.id),
                    _ => None,
                },
                shortcut: shortcut.to_owned(),
                texts: Texts::one(CHINESE, chinese).with(ENGLISH, english),
            };
            catalog.create_reply(account, &reply).await.context("cannot create a demo reply")?;
        }
    }
    // Nobody is there until somebody enters; the demo's own colleagues are as they will be, so that
    // the very first look at the queues finds them.
    for member in &users {
        let presence = match () {
            () if is(member, "chen") => Presence::Online,
            () if is(member, "ada") || is(member, "yun") => Presence::Away,
            () => Presence::Offline,
        };
        catalog
            .set_presence(account, member.user.id, presence)
            .await
            .context("cannot change a demo user")?;
    }
    // The scenes are to be found as they were left: no session ends or moves on by itself for a while.
    for (name, value) in [
        (settings::CAPACITY.spec().name, 8),
        (settings::FIRST_ANSWER.spec().name, 60 * 60),
        (settings::IDLE_CLOSE.spec().name, 24 * 60 * 60),
    ] {
        set(catalog, account, name, Value::from(value)).await?;
    }
    Ok(())
}

async fn inboxes(
    catalog: &Catalog,
    account: AccountId,
    sales: TeamId,
    support: TeamId,
) -> anyhow::Result<()> {
    let inboxes = catalog.inboxes(account).await?;
    let shop = inboxes.first().context("the demo account has no inbox")?;
    let both = |chinese: &str, english: &str| Texts::one(CHINESE, chinese).with(ENGLISH, english);
    let change = InboxChange {
        default_team: Some(Some(sales)),
        look: Some(Look { accent: "#2f6b55".to_owned(), ..Look::default() }),
        texts: [
            (InboxText::Title, both("云杉茶器", "Spruce Tea")),
            (
                InboxText::Greeting,
                both(
                    "您好！关于器物、刻字或批发，尽管问我们。",
                    "Hello! Ask us anything about our pieces, engraving or wholesale.",
                ),
            ),
            (
                InboxText::Away,
                both(
                    "现在没有同事在线，您的消息会留在这里，我们上线后马上回复。",
                    "Nobody is at the desk right now. Your message stays here and is answered as soon as we are back.",
                ),
            ),
        ]
        .into(),
        hours_text: Some(both(
            "每天 9:00–21:00（北京时间）",
            "Every day, 9 to 21 in Longquan (UTC+8)",
        )),
        questions: Some(
            [(CHINESE, &QUESTIONS_ZH), (ENGLISH, &QUESTIONS_EN)]
                .map(|(language, asked)| (language.to_owned(), asked.map(str::to_owned).into()))
                .into(),
        ),
        ..InboxChange::default()
    };
    catalog.update_inbox(account, shop.id, change).await.context("cannot change the inbox")?;
    if inboxes.len() == 1 {
        let new = NewInbox {
            name: "售后 After-sales".to_owned(),
            default_team: Some(support),
            routing: RoutingMode::Manual,
            greeting: both(
                "您好，请告诉我们订单号和遇到的问题。",
                "Hello, tell us your order number and what went wrong.",
            ),
            ..NewInbox::default()
        };
        catalog.create_inbox(account, &new).await.context("cannot create a demo inbox")?;
    }
    Ok(())
}

/// The inbox of those who want a person's advice, made where it is missing: people answer there.
pub(super) async fn advisers(catalog: &Catalog) -> anyhow::Result<InboxId> {
    let account = demo_account(catalog).await?;
    let inboxes = catalog.inboxes(account).await?;
    if let Some(known) = inboxes.iter().find(|inbox| inbox.name == ADVISERS) {
        return Ok(known.id);
    }
    let new = NewInbox {
        name: ADVISERS.to_owned(),
        default_team: inboxes.first().and_then(|shop| shop.default_team),
        greeting: Texts::one(CHINESE, "您好，我是茶器顾问，很高兴为您挑选。")
            .with(ENGLISH, "Hello, an adviser is happy to help you choose."),
        ..NewInbox::default()
    };
    let made = catalog.create_inbox(account, &new).await;
    Ok(made.context("cannot create the advisers' inbox")?.id)
}

pub(super) async fn demo_account(catalog: &Catalog) -> anyhow::Result<AccountId> {
    let accounts = catalog.accounts().await?;
    let account =
        accounts.iter().find(|account| account.demo).context("there is no demo account")?;
    Ok(account.id)
}

fn is(member: &Member, name: &str) -> bool {
    member.user.email.split('@').next() == Some(name)
}

impl Cast {
    /// The inbox of the shop's page.
    pub(super) async fn shop(catalog: &Catalog) -> anyhow::Result<Inbox> {
        let inboxes = catalog.inboxes(demo_account(catalog).await?).await?;
        inboxes.into_iter().next().context("no inbox is left")
    }

    /// Reads who and what there is.
    pub(super) async fn find(catalog: &Catalog) -> anyhow::Result<Self> {
        let account = demo_account(catalog).await?;
        let inboxes = catalog.inboxes(account).await?;
        let teams = catalog.teams(account).await?;
        // What people of the demo have deleted is missed by the scenes only.
        let inbox = |at: usize| {
            inboxes.get(at).or(inboxes.first()).map(|inbox| inbox.id).context("no inbox is left")
        };
        let team = |at: usize| {
            teams.get(at).or(teams.first()).map(|team| team.id).context("no team is left")
        };
        Ok(Self {
            account,
            shop: inbox(0)?,
            after_sales: inbox(1)?,
            sales: team(0)?,
            support: team(1)?,
            members: catalog.users(account).await?,
        })
    }

    pub(super) fn inbox(&self, team: TeamName) -> InboxId {
        match team {
            TeamName::Sales => self.shop,
            TeamName::Support => self.after_sales,
        }
    }

    pub(super) fn team(&self, team: TeamName) -> TeamId {
        match team {
            TeamName::Sales => self.sales,
            TeamName::Support => self.support,
        }
    }

    /// Somebody by the name in the e-mail address.
    pub(super) fn agent(&self, name: &str) -> Option<Actor> {
        let member = self.members.iter().find(|member| is(member, name))?;
        Some(Actor {
            kind: ActorKind::Agent.into(),
            id: member.user.id.to_string(),
            name: member.user.display_name.clone(),
        })
    }

    /// Everybody who may look at conversations.
    pub(super) fn everybody(&self) -> impl Iterator<Item = Actor> + '_ {
        self.members.iter().map(|member| Actor {
            kind: ActorKind::Agent.into(),
            id: member.user.id.to_string(),
            name: member.user.display_name.clone(),
        })
    }
}

impl Colleague {
    /// The name in the e-mail address.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lin => "lin",
            Self::Mei => "mei",
            Self::Chen => "chen",
            Self::Ada => "ada",
        }
    }
}

/// The owner this actor becomes.
pub(super) fn participant(actor: &Actor) -> Participant {
    Participant {
        kind: ParticipantKind::Agent.into(),
        id: actor.id.clone(),
        name: actor.name.clone(),
    }
}
