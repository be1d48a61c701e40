//! What one analysis costs, by the length of the text.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use frontdesk_intent::{
    AccountConfig, Classifier, Context, Model, RouterConfig, RouterOptions, SmartRouter,
    text::normalise,
};

fn classify(criterion: &mut Criterion) {
    let model = Classifier::shipped().expect("the shipped model");
    // About so many tokens, markers included.
    let texts = [
        ("8_tokens", "什么时候发货"),
        ("32_tokens", "上周四说给我补发那条牛仔裙，今天又到周四了，我每天看物流"),
        (
            "32_tokens_en",
            "hi, I ordered the blue jacket last week and the tracking page still shows that it is waiting for pickup, what is happening",
        ),
        ("64_tokens", &"我要退款，已经等了两个星期，".repeat(8)),
    ];
    let mut group = criterion.benchmark_group("intent/classify");
    for (name, text) in texts {
        group.bench_function(name, |bencher| bencher.iter(|| model.classify(black_box(text))));
    }
    group.finish();
    let mut group = criterion.benchmark_group("intent/classify_batch");
    let batch = [texts[1].1; 16];
    group.bench_function("16_texts/32_tokens", |bencher| {
        bencher.iter(|| model.classify_batch(black_box(&batch)));
    });
    group.finish();
    let mut group = criterion.benchmark_group("intent/normalise");
    let long = "退款 refund ".repeat(64 * 1024 / 14);
    group.bench_function("32_tokens", |bencher| bencher.iter(|| normalise(black_box(texts[1].1))));
    group.bench_function("64_kib", |bencher| bencher.iter(|| normalise(black_box(&long))));
    group.finish();
}

/// What the router says of a text it has been asked about before, and of one it has not.
fn analyze(criterion: &mut Criterion) {
    let model: Arc<dyn Model> = Arc::new(Classifier::shipped().expect("the shipped model"));
    let config = RouterConfig::default();
    let account = AccountConfig::parse(r#"{"threshold": {"sales": 0.7}}"#, &config);
    let account = account.expect("it is right");
    let router = SmartRouter::start(config, Some(model), RouterOptions::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let text = "上周四说给我补发那条牛仔裙，今天又到周四了，我每天看物流";
    let mut group = criterion.benchmark_group("intent/analyze");
    let nowhere = Context::default();
    let of_account = Context { inbox: "i", inbox_name: "Shop", account: Some(&account) };
    for (name, context) in [("remembered", nowhere), ("remembered_of_an_account", of_account)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(router.analyze(black_box(text), context)));
        });
    }
    let mut number = 0_u64;
    group.bench_function("new", |bencher| {
        bencher.iter(|| {
            number += 1;
            // Digits are one to the model: letters make it another text.
            let mark: String = number.to_string().bytes().map(|one| char::from(one + 49)).collect();
            runtime.block_on(router.analyze(&format!("{text} {mark}"), nowhere))
        });
    });
    group.finish();
}

criterion_group!(benches, classify, analyze);
criterion_main!(benches);
