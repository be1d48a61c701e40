//! What one analysis costs, by the length of the text.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use frontdesk_intent::{model::Classifier, text::normalise};

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

criterion_group!(benches, classify);
criterion_main!(benches);
