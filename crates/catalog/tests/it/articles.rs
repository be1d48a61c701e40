//! Articles: what is kept of them, which are listed, who was faster, how much there may be, and votes of readers.

use frontdesk_catalog::{
    ARTICLE_BODY_BYTES_MAX, Article, ArticleQuery, ArticleState, ArticleText, ArticleTexts, Error,
    NewArticle, Put, PutArticle, VOTER_BYTES, Vote,
};
use frontdesk_core::id::{AccountId, ArticleId};

use crate::{Fixture, conflict, invalid, unknown};

fn texts(title: &str, body: &str) -> ArticleTexts {
    let text =
        ArticleText { title: title.to_owned(), body: body.to_owned(), ..ArticleText::default() };
    ArticleTexts::from([("en".to_owned(), text)])
}

fn new(slug: &str, category: &str) -> NewArticle {
    NewArticle {
        slug: slug.to_owned(),
        category: category.to_owned(),
        state: ArticleState::Published,
        texts: texts(&format!("About {slug}"), "A *body*.\n\nOf two lines."),
    }
}

fn put(slug: &str, body: &str) -> PutArticle {
    PutArticle { slug: slug.to_owned(), texts: texts(slug, body), ..PutArticle::default() }
}

async fn slugs(fixture: &Fixture, account: AccountId, query: ArticleQuery) -> Vec<String> {
    let query = ArticleQuery { limit: 100, ..query };
    let page = fixture.catalog.articles(account, &query).await.unwrap();
    assert_eq!(page.next, None);
    page.articles.into_iter().map(|article| article.slug).collect()
}

#[tokio::test]
async fn an_article_is_what_was_written_last() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    assert_eq!(catalog.knowledge_version(account).await.unwrap(), 0);
    let mut wish = new("Refunds", " Money ");
    let chinese = ArticleText {
        title: "退款".to_owned(),
        summary: "怎样退款".to_owned(),
        body: "七天内可退。".to_owned(),
        questions: vec!["钱怎么退？".to_owned()],
        category: "退换".to_owned(),
    };
    wish.texts.insert("zh-CN".to_owned(), chinese.clone());
    let made = catalog.create_article(account, &wish).await.unwrap();
    assert_eq!((made.slug.as_str(), made.category.as_str()), ("refunds", "Money"));
    assert_eq!((made.revision, made.helpful, made.unhelpful), (1, 0, 0));
    assert_eq!(made.texts["zh-CN"], chinese);
    assert_eq!(catalog.article(account, made.id).await.unwrap(), made);
    assert_eq!(catalog.article_by_slug(account, "refunds").await.unwrap(), made);
    assert_eq!(catalog.knowledge_version(account).await.unwrap(), 1);

    wish.state = ArticleState::Draft;
    wish.slug = "money-back".to_owned();
    let changed = catalog.update_article(account, made.id, &wish, 1).await.unwrap();
    assert_eq!((changed.revision, changed.state), (2, ArticleState::Draft));
    assert_eq!(catalog.article(account, made.id).await.unwrap(), changed);
    unknown(catalog.article_by_slug(account, "refunds").await);
    conflict(catalog.update_article(account, made.id, &wish, 1).await, "changed");
    assert_eq!(catalog.knowledge_version(account).await.unwrap(), 2, "of both who changed it");

    let again = fixture.open_again().await;
    assert_eq!(again.article(account, made.id).await.unwrap(), changed);
    catalog.delete_article(account, made.id).await.unwrap();
    unknown(catalog.article(account, made.id).await);
    unknown(catalog.delete_article(account, made.id).await);
    assert_eq!(catalog.knowledge_version(account).await.unwrap(), 3);
}

#[tokio::test]
async fn two_articles_of_an_account_have_two_slugs() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) =
        (fixture.account("ours").await.account, fixture.account("theirs").await.account);
    let first = catalog.create_article(ours, &new("pay", "")).await.unwrap();
    conflict(catalog.create_article(ours, &new("PAY", "")).await, "taken");
    let second = catalog.create_article(ours, &new("pay-2", "")).await.unwrap();
    conflict(catalog.update_article(ours, second.id, &new("pay", ""), 1).await, "taken");
    catalog.create_article(theirs, &new("pay", "")).await.unwrap();
    invalid(catalog.create_article(ours, &new("a/b", "")).await, "slug", "characters");
    assert_eq!(catalog.article(ours, first.id).await.unwrap(), first);
    assert_eq!(catalog.knowledge_version(ours).await.unwrap(), 2, "what was refused is no change");
}

#[tokio::test]
async fn s11_articles_of_another_account_are_unknown() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (us, them) =
        (fixture.account("ours").await.account, fixture.account("theirs").await.account);
    let article = catalog.create_article(them, &new("secret", "")).await.unwrap();
    unknown(catalog.article(us, article.id).await);
    unknown(catalog.article_by_slug(us, "secret").await);
    unknown(catalog.update_article(us, article.id, &new("mine", ""), 1).await);
    unknown(catalog.delete_article(us, article.id).await);
    unknown(catalog.vote_article(us, article.id, [1; VOTER_BYTES], 7, true).await);
    assert!(slugs(&fixture, us, ArticleQuery::default()).await.is_empty());
    assert!(catalog.published_articles(us, None, 10).await.unwrap().is_empty());
    assert_eq!(catalog.article(them, article.id).await.unwrap(), article);
    let nobody = AccountId::from_bytes([9; 12]);
    unknown(catalog.create_article(nobody, &new("x", "")).await);
    unknown(catalog.put_articles(nobody, &[put("x", "")]).await);
}

#[tokio::test]
async fn a_list_is_filtered_and_comes_in_pages() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    for (slug, category) in [("b", "Two"), ("a", "Two"), ("c", "One"), ("top", "")] {
        catalog.create_article(account, &new(slug, category)).await.unwrap();
    }
    let mut draft = new("draft", "One");
    draft.state = ArticleState::Draft;
    draft.texts = texts("Zahlung über 100%", "");
    catalog.create_article(account, &draft).await.unwrap();

    let all = slugs(&fixture, account, ArticleQuery::default()).await;
    assert_eq!(all, ["top", "c", "draft", "a", "b"]);
    let of = |category: Option<&str>, state, words: &str| ArticleQuery {
        category: category.map(str::to_owned),
        state,
        words: words.to_owned(),
        ..ArticleQuery::default()
    };
    assert_eq!(slugs(&fixture, account, of(Some("One"), None, "")).await, ["c", "draft"]);
    assert_eq!(slugs(&fixture, account, of(Some(""), None, "")).await, ["top"]);
    let drafts = of(None, Some(ArticleState::Draft), "");
    assert_eq!(slugs(&fixture, account, drafts).await, ["draft"]);
    for words in ["ÜBER", "100%", "zahlung ü"] {
        assert_eq!(slugs(&fixture, account, of(None, None, words)).await, ["draft"], "{words}");
    }
    assert_eq!(slugs(&fixture, account, of(None, None, "two")).await, ["a", "b"]);
    assert!(slugs(&fixture, account, of(None, None, "%")).await.len() == 1, "it is no pattern");

    let mut found = Vec::new();
    let mut query = ArticleQuery { limit: 2, ..ArticleQuery::default() };
    loop {
        let page = catalog.articles(account, &query).await.unwrap();
        assert!(page.articles.len() <= 2);
        found.extend(page.articles.into_iter().map(|article| article.slug));
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    assert_eq!(found, all);

    let mut published = Vec::new();
    let mut after = None;
    loop {
        let page = catalog.published_articles(account, after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        published.extend(page.into_iter().map(|article| article.slug));
    }
    assert_eq!(published, ["b", "a", "c", "top"]);
}

#[tokio::test]
async fn a_page_of_large_articles_is_short() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let body = "x".repeat(ARTICLE_BODY_BYTES_MAX);
    let many: Vec<_> = (0..20).map(|number| put(&format!("a{number:02}"), &body)).collect();
    catalog.put_articles(account, &many).await.unwrap();
    let mut query = ArticleQuery { limit: 100, ..ArticleQuery::default() };
    let mut pages = Vec::new();
    loop {
        let page = catalog.articles(account, &query).await.unwrap();
        pages.push(page.articles.len());
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    assert_eq!(pages, [15, 5]);
}

#[tokio::test]
async fn what_is_put_is_added_changed_or_left_and_keeps_other_languages() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let all = async |articles: &[PutArticle]| -> Vec<String> {
        let done = catalog.put_articles(account, articles).await.unwrap();
        let told = |put: Result<Put, Error>| match put {
            Ok(put) => format!("{put:?}"),
            Err(Error::Invalid { field, reason }) => format!("{field}: {reason}"),
            Err(error) => panic!("{error}"),
        };
        done.into_iter().map(told).collect()
    };
    let read = async |slug: &str| catalog.article_by_slug(account, slug).await.unwrap();
    assert_eq!(
        all(&[put("a", "1"), put("b/c", "2"), put("b", "2")]).await,
        ["Added", "slug: characters", "Added"]
    );
    assert_eq!(read("a").await.state, ArticleState::Draft);
    assert_eq!(catalog.knowledge_version(account).await.unwrap(), 1, "one for all of them");
    assert_eq!(all(&[put("a", "1"), put("b", "2")]).await, ["Unchanged", "Unchanged"]);
    assert_eq!(catalog.knowledge_version(account).await.unwrap(), 1);

    let mut chinese = put("a", "");
    chinese.texts = ArticleTexts::from([(
        "zh-CN".to_owned(),
        ArticleText { title: "甲".to_owned(), ..ArticleText::default() },
    )]);
    chinese.category = "Letters".to_owned();
    chinese.publish = true;
    assert_eq!(all(&[chinese]).await, ["Changed"]);
    let a = read("a").await;
    assert_eq!((a.state, a.category.as_str()), (ArticleState::Published, "Letters"));
    assert_eq!(a.texts.keys().collect::<Vec<_>>(), ["en", "zh-CN"]);
    assert_eq!((a.texts["en"].body.as_str(), a.revision), ("1", 2));
    assert_eq!(all(&[put("a", "3")]).await, ["Changed"]);
    let a = read("a").await;
    assert_eq!((a.state, a.category.as_str()), (ArticleState::Published, "Letters"));
    assert_eq!((a.texts["en"].body.as_str(), a.texts["zh-CN"].title.as_str()), ("3", "甲"));
}

#[tokio::test]
async fn drafts_are_put_over_drafts_only() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let public = catalog.create_article(account, &new("public", "")).await.unwrap();
    catalog.put_articles(account, &[put("draft", "1")]).await.unwrap();
    let mut same = put("public", "");
    same.texts.clone_from(&public.texts);
    let all = [put("public", "2"), same, put("draft", "2"), put("added", "2")];
    let done = catalog.put_drafts(account, &all).await.unwrap();
    assert!(
        matches!(
            done[..],
            [
                Err(Error::Conflict { what: "article", reason: "exists" }),
                Ok(Put::Unchanged),
                Ok(Put::Changed),
                Ok(Put::Added)
            ]
        ),
        "{done:?}"
    );
    assert_eq!(catalog.article(account, public.id).await.unwrap(), public);
    let added = catalog.article_by_slug(account, "added").await.unwrap();
    assert_eq!(added.state, ArticleState::Draft);
}

#[tokio::test]
async fn what_is_put_changes_only_what_came_from_the_same_source() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let from =
        |origin: &str, body: &str| PutArticle { origin: origin.to_owned(), ..put("a", body) };
    let told = async |one: PutArticle| match &catalog.put_articles(account, &[one]).await.unwrap()[..]
    {
        [Ok(put)] => format!("{put:?}"),
        [Err(Error::Conflict { reason, .. })] => (*reason).to_owned(),
        other => panic!("{other:?}"),
    };
    let read = async || catalog.article_by_slug(account, "a").await.unwrap();
    assert_eq!(told(from("files", "1")).await, "Added");
    assert_eq!(told(from("https://a.example", "2")).await, "elsewhere");
    assert_eq!(told(from("https://a.example", "1")).await, "Unchanged", "it says so already");
    assert_eq!(
        (read().await.origin.as_str(), read().await.texts["en"].body.as_str()),
        ("files", "1")
    );
    assert_eq!(told(from("files", "2")).await, "Changed");
    assert_eq!(read().await.origin, "files");
    // Where it stands is the team's to say; once its words are, it is theirs.
    let known = read().await;
    let mut new = new("a", "Letters");
    new.texts.clone_from(&known.texts);
    let moved = catalog.update_article(account, known.id, &new, known.revision).await.unwrap();
    assert_eq!(moved.origin, "files");
    assert_eq!(told(from("files", "3")).await, "Changed");
    new.texts = texts("a", "4");
    let known = read().await;
    let edited = catalog.update_article(account, known.id, &new, known.revision).await.unwrap();
    assert_eq!((edited.origin.as_str(), read().await), ("", edited.clone()));
    assert_eq!(told(from("files", "5")).await, "own");
    assert_eq!(read().await, edited);
    assert_eq!(
        told(put("a", "5")).await,
        "Changed",
        "nor is what is put without a source another's"
    );
    let long = from(&"x".repeat(301), "6");
    let done = catalog.put_articles(account, &[long]).await.unwrap();
    assert!(
        matches!(&done[..], [Err(Error::Invalid { field, .. })] if field == "origin"),
        "{done:?}"
    );
}

#[tokio::test]
async fn votes_at_once_are_each_counted_once() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let id = catalog.create_article(account, &new("a", "")).await.unwrap().id;
    let vote = |helpful| catalog.vote_article(account, id, [1; VOTER_BYTES], 100, helpful);
    vote(true).await.unwrap();
    // All change the same vote to the same: one of them counts.
    for helpful in [false, true, false] {
        let (a, b, c, d) = tokio::join!(vote(helpful), vote(helpful), vote(helpful), vote(helpful));
        let changed =
            [a, b, c, d].into_iter().filter(|vote| matches!(vote, Ok(Vote::Changed))).count();
        assert_eq!(changed, 1);
    }
    let article = catalog.article(account, id).await.unwrap();
    assert_eq!((article.helpful, article.unhelpful), (0, 1));
    fixture
        .execute_with("UPDATE articles SET helpful = -3 WHERE account = ?", &account.to_string())
        .await;
    assert_eq!(catalog.article(account, id).await.unwrap().helpful, 0, "it can be read");
}

#[tokio::test]
async fn more_bytes_than_an_index_may_hold_are_refused_until_some_go() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let mut large = new("large", "");
    large.texts = texts("t", &"x".repeat(1_000));
    let made = catalog.create_article(account, &large).await.unwrap();
    // All but a few bytes are taken.
    let id = account.to_string();
    let set = "UPDATE knowledge_bases SET bytes = 67108864 - 10 WHERE account = ?";
    fixture.execute_with(set, &id).await;
    conflict(catalog.create_article(account, &new("more", "")).await, "too_many");
    let done = catalog.put_articles(account, &[put("more", "0123456789")]).await.unwrap();
    assert!(
        matches!(done[..], [Err(Error::Conflict { what: "bytes", reason: "too_many" })]),
        "{done:?}"
    );
    large.texts = texts("t", &"x".repeat(100));
    catalog.update_article(account, made.id, &large, 1).await.unwrap();
    catalog.create_article(account, &new("more", "")).await.unwrap();
    let set = "UPDATE knowledge_bases SET articles = 20000 WHERE account = ?";
    fixture.execute_with(set, &id).await;
    conflict(catalog.create_article(account, &new("last", "")).await, "too_many");
    catalog.delete_article(account, made.id).await.unwrap();
    catalog.create_article(account, &new("last", "")).await.unwrap();
}

#[tokio::test]
async fn a_reader_has_one_vote_a_day_and_may_change_it() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let id = catalog.create_article(account, &new("a", "")).await.unwrap().id;
    let vote = async |voter: u8, day, helpful| {
        catalog.vote_article(account, id, [voter; VOTER_BYTES], day, helpful).await.unwrap()
    };
    let counted = async || {
        let Article { helpful, unhelpful, revision, .. } =
            catalog.article(account, id).await.unwrap();
        assert_eq!(revision, 1, "a vote is no change");
        (helpful, unhelpful)
    };
    assert_eq!(vote(1, 100, true).await, Vote::Counted);
    assert_eq!(vote(1, 100, true).await, Vote::Known);
    assert_eq!(counted().await, (1, 0));
    assert_eq!(vote(2, 100, false).await, Vote::Counted);
    assert_eq!(vote(1, 100, false).await, Vote::Changed);
    assert_eq!(counted().await, (0, 2));
    // Whoever comes the next day has another name; what was forgotten stays counted.
    assert_eq!(vote(3, 101, true).await, Vote::Counted);
    assert_eq!(vote(4, 101, true).await, Vote::Counted);
    assert_eq!(counted().await, (2, 2));
    let kept = fixture.text("SELECT CAST(COUNT(*) AS CHAR) FROM article_votes").await;
    assert_eq!(kept, "2", "those of yesterday are forgotten");
    assert_eq!(catalog.knowledge_version(account).await.unwrap(), 1);
    let gone = ArticleId::from_bytes([7; 12]);
    unknown(catalog.vote_article(account, gone, [1; VOTER_BYTES], 101, true).await);
}
