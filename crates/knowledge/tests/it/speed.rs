//! How long a build and a question take at 10,000 articles; printed by
//! `cargo test --release -p frontdesk-knowledge --test it -- --ignored --nocapture ten_thousand`.

use std::{fs, time::Instant};

use frontdesk_knowledge::{Article, ArticleText, Knowledge, Options, demo, eval};

const ARTICLES: usize = 10_000;

/// Articles of the demo's sentences in another order, each with a title of two halves and a few words of its own.
fn shuffled(count: usize) -> Vec<Article> {
    let demo = demo::articles();
    let mut seed = 7_u64;
    let mut next = move |below: usize| {
        // xorshift: the same articles each time.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below.max(1) as u64) as usize
    };
    let parts = |lang: &str| {
        let texts = || demo.iter().filter_map(|article| article.texts.get(lang));
        let titles: Vec<&str> = texts().map(|text| text.title.as_str()).collect();
        let sentences: Vec<&str> = texts()
            .flat_map(|text| text.body.split_inclusive(['.', '。', '\n']))
            .map(str::trim)
            .filter(|sentence| sentence.len() > 10)
            .collect();
        (titles, sentences)
    };
    let langs = ["en", "zh-CN"].map(|lang| (lang, parts(lang)));
    let mut articles = Vec::with_capacity(count);
    for number in 0..count {
        let mut article = Article {
            id: number.to_string(),
            slug: format!("article-{number}"),
            published: true,
            ..Article::default()
        };
        for (lang, (titles, sentences)) in &langs {
            let title = format!("{} {}", titles[next(titles.len())], titles[next(titles.len())]);
            let mut body = format!("M{number} K{}\n\n", next(5_000));
            for _ in 0..14 {
                body.push_str(sentences[next(sentences.len())]);
                body.push_str(if next(3) == 0 { "\n\n" } else { " " });
            }
            let text = ArticleText { title, body, ..ArticleText::default() };
            article.texts.insert((*lang).to_owned(), text);
        }
        articles.push(article);
    }
    articles
}

fn memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[test]
#[ignore = "measures the machine; run it in a release build"]
#[expect(clippy::print_stdout, reason = "who measures reads it")]
fn ten_thousand_articles_are_built_and_asked() {
    let articles = shuffled(ARTICLES);
    let bytes: usize = articles.iter().map(Article::bytes).sum();
    let before = memory_mib();
    let began = Instant::now();
    let knowledge = Knowledge::build(&articles, Options::default()).unwrap();
    println!(
        "{ARTICLES} articles in two languages, {} MiB of text: built in {:?}, {} MiB of memory",
        bytes >> 20,
        began.elapsed(),
        memory_mib().saturating_sub(before)
    );
    let mut questions = Vec::new();
    for file in ["dev.jsonl", "questions.jsonl"] {
        let path = format!("{}/../../datasets/knowledge/{file}", env!("CARGO_MANIFEST_DIR"));
        questions.extend(eval::read_questions(&fs::read_to_string(path).unwrap()).unwrap());
    }
    let report = eval::evaluate(&knowledge, &questions);
    println!("p50 {} us, p99 {} us", report.took_us, report.took_p99_us);
    assert!(report.took_us < 5_000 && report.took_p99_us < 20_000, "{report:?}");
}

#[test]
fn five_hundred_articles_are_built_and_asked() {
    let articles = shuffled(500);
    let knowledge = Knowledge::build(&articles, Options::default()).unwrap();
    assert_eq!(knowledge.len(), 500);
    let text = &articles[123].texts["en"];
    let found = knowledge.find(&format!("{} M123", text.title), "en", 20);
    assert!(found.iter().any(|found| found.slug == "article-123"), "{:?}", found[0].slug);
}
