//! Model directories: what is opened, what is refused and how it is said, and what the shipped model answers.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use frontdesk_intent::{
    LABELS, Label,
    model::{Classifier, ModelError},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tempfile::TempDir;

/// A copy of the shipped model, to be broken.
fn copy() -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for file in
        ["config.json", "vocab.txt", "model.safetensors", "ngrams.safetensors", "calibration.json"]
    {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("model").join(file);
        fs::copy(from, directory.path().join(file)).expect("the shipped model is there");
    }
    directory
}

/// Probabilities as they are in memory: the same computation gives the same ones.
fn bits(probabilities: [f32; LABELS]) -> [u32; LABELS] {
    probabilities.map(f32::to_bits)
}

fn refusal(directory: &TempDir) -> ModelError {
    Classifier::open(directory.path()).expect_err("the model is broken")
}

/// Writes the tensors of a file again after `change` was over them.
fn rewrite(directory: &TempDir, file: &str, change: impl Fn(&str, &mut Vec<usize>, &mut Vec<u8>)) {
    let path = directory.path().join(file);
    let bytes = fs::read(&path).expect("readable");
    let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
    let mut changed: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> = BTreeMap::new();
    for (name, view) in tensors.iter() {
        let (mut shape, mut data) = (view.shape().to_vec(), view.data().to_vec());
        change(name, &mut shape, &mut data);
        if !data.is_empty() {
            changed.insert(name.to_owned(), (view.dtype(), shape, data));
        }
    }
    let views = changed.iter().map(|(name, (dtype, shape, data))| {
        let view = TensorView::new(*dtype, shape.clone(), data).expect("sizes agree");
        (name.clone(), view)
    });
    let bytes = safetensors::serialize(views, None).expect("serialised");
    fs::write(path, bytes).expect("written");
}

#[test]
fn a_missing_file_is_named() {
    for file in ["vocab.txt", "model.safetensors", "config.json"] {
        let directory = copy();
        fs::remove_file(directory.path().join("ngrams.safetensors")).expect("removed");
        fs::remove_file(directory.path().join(file)).expect("removed");
        let error = refusal(&directory);
        assert!(matches!(error, ModelError::Io { .. }));
        assert_eq!(error.to_string(), format!("cannot read {file} of the model"));
    }
    let nowhere = tempfile::tempdir().expect("a temporary directory");
    assert!(matches!(Classifier::open(&nowhere.path().join("none")), Err(ModelError::Io { .. })));
}

#[test]
fn broken_json_is_named() {
    for file in ["config.json", "calibration.json", "tokenizer.json"] {
        let directory = copy();
        fs::write(directory.path().join(file), "{\"model_type\": ").expect("written");
        let error = refusal(&directory);
        assert!(error.to_string().starts_with(file), "{error}");
    }
}

#[test]
fn sizes_that_contradict_each_other_are_refused() {
    let change = |from: &str, to: &str| {
        let directory = copy();
        let path = directory.path().join("config.json");
        let config = fs::read_to_string(&path).expect("readable");
        assert!(config.contains(from), "{config}");
        fs::write(path, config.replace(from, to)).expect("written");
        refusal(&directory).to_string()
    };
    let heads = change("\"num_attention_heads\": 4", "\"num_attention_heads\": 5");
    assert!(heads.contains("no multiple"), "{heads}");
    let layers = change("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3");
    assert!(layers.contains("has no tensor bert.encoder.layer.2."), "{layers}");
    let width = change("\"intermediate_size\": 256", "\"intermediate_size\": 0");
    assert!(width.contains("intermediate_size is 0"), "{width}");
    let kind = change("\"bert\"", "\"gpt2\"");
    assert!(kind.contains("model_type is gpt2"), "{kind}");
}

#[test]
fn a_vocabulary_of_another_size_is_refused() {
    let directory = copy();
    let path = directory.path().join("vocab.txt");
    let vocabulary = fs::read_to_string(&path).expect("readable");
    fs::write(&path, format!("{}\none\nmore\n", vocabulary.trim_end())).expect("written");
    assert!(matches!(
        refusal(&directory),
        ModelError::VocabularySize { entries, expected, .. } if entries == expected + 2
    ));
    fs::write(&path, "just\nwords\n").expect("written");
    let error = refusal(&directory);
    assert_eq!(
        error.to_string(),
        "vocab.txt of the model is no vocabulary: the vocabulary has no [CLS]"
    );
    fs::write(&path, [0xff, 0xfe]).expect("written");
    assert!(matches!(refusal(&directory), ModelError::Vocabulary { .. }));
}

#[test]
fn tensors_of_other_shapes_are_refused() {
    let directory = copy();
    rewrite(&directory, "model.safetensors", |name, shape, _| {
        if name == "classifier.weight" {
            shape.reverse();
        }
    });
    let error = refusal(&directory).to_string();
    assert_eq!(
        error,
        "classifier.weight in model.safetensors of the model is [128, 4], expected [4, 128]"
    );
    let directory = copy();
    rewrite(&directory, "ngrams.safetensors", |name, _, data| {
        if name == "scales" {
            data.clear();
        }
    });
    let error = refusal(&directory).to_string();
    assert_eq!(error, "ngrams.safetensors of the model has no tensor scales");
    fs::write(directory.path().join("ngrams.safetensors"), b"half a fi").expect("written");
    assert!(matches!(refusal(&directory), ModelError::Tensors { .. }));
}

#[test]
fn weights_that_are_no_finite_numbers_are_refused() {
    for bits in [0x7e00_u16, 0x7c00, 0xfc00] {
        let directory = copy();
        rewrite(&directory, "model.safetensors", |name, _, data| {
            if name == "bert.encoder.layer.1.output.dense.weight" {
                data[..2].copy_from_slice(&bits.to_le_bytes());
            }
        });
        assert!(matches!(
            refusal(&directory),
            ModelError::NotFinite { tensor, .. } if tensor == "bert.encoder.layer.1.output.dense.weight"
        ));
    }
}

#[test]
fn a_temperature_that_is_none_is_refused() {
    let directory = copy();
    let calibration = r#"{"encoder_weight":1,"ngrams_weight":1,"temperature":0}"#;
    fs::write(directory.path().join("calibration.json"), calibration).expect("written");
    assert!(
        matches!(refusal(&directory), ModelError::Config { file, .. } if file == "calibration.json")
    );
}

#[test]
fn a_copy_of_the_shipped_model_says_the_same_and_parts_of_it_are_models() {
    let shipped = Classifier::shipped().expect("the shipped model");
    let directory = copy();
    let opened = Classifier::open(directory.path()).expect("a copy");
    let text = "第三次催了，到底什么时候退款？？？";
    assert_eq!(bits(shipped.classify(text)), bits(opened.classify(text)));
    for file in ["model.safetensors", "config.json"] {
        fs::remove_file(directory.path().join(file)).expect("removed");
    }
    let ngrams = Classifier::open(directory.path()).expect("n-grams alone are a model");
    assert!(ngrams.has_labels() && ngrams.embed(text).is_none());
    let directory = copy();
    fs::remove_file(directory.path().join("ngrams.safetensors")).expect("removed");
    let encoder = Classifier::open(directory.path()).expect("an encoder alone is a model");
    assert!(encoder.embed(text).is_some());
    let length: f32 =
        encoder.embed(text).expect("an embedding").iter().map(|value| value * value).sum();
    assert!((length - 1.0).abs() < 1e-3);
}

#[test]
fn whatever_is_written_gets_probabilities() {
    let model = Classifier::shipped().expect("the shipped model");
    let long = "退款 refund 😡 ".repeat(64 * 1024 / 20);
    for text in [
        "",
        " \n\t",
        "?",
        "😡😡😡😡",
        "hi在吗مرحبا привет",
        "\u{0}\u{feff}",
        &"啊".repeat(500),
        &long,
    ] {
        let probabilities = model.classify(text);
        let sum: f32 = probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "{probabilities:?}");
        assert!(probabilities.iter().all(|one| (0.0..=1.0).contains(one)), "{probabilities:?}");
    }
}

#[test]
fn a_batch_says_what_its_texts_say_alone() {
    let model = Classifier::shipped().expect("the shipped model");
    let texts = [
        "在吗",
        "how much is the annual plan",
        "",
        "你们客服太敷衍了，投诉！！！",
        "怎么改收货地址",
    ];
    for (text, together) in texts.iter().zip(model.classify_batch(&texts)) {
        let alone = model.classify(text);
        for label in 0..LABELS {
            assert!((alone[label] - together[label]).abs() < 1e-5, "{text}");
        }
    }
    assert!(model.classify_batch(&[]).is_empty());
}

#[test]
fn the_shipped_model_knows_the_plain_cases() {
    let model = Classifier::shipped().expect("the shipped model");
    for (text, label) in [
        ("你们客服太敷衍了，我要投诉！！！", Label::Complaint),
        ("this is the third time I ask, still no refund, unacceptable", Label::Complaint),
        ("怎么修改收货地址", Label::Consult),
        ("how do I reset my password", Label::Consult),
        ("這款多少錢？有現貨嗎", Label::Sales),
        ("how much is the annual plan for 20 people", Label::Sales),
        ("好的谢谢，再见", Label::Other),
        ("thanks, bye!", Label::Other),
    ] {
        let (likeliest, probability) = Label::likeliest(&model.classify(text));
        assert_eq!(likeliest, label, "{text}: {probability}");
    }
}

#[test]
fn one_model_serves_many_threads() {
    let model = Arc::new(Classifier::shipped().expect("the shipped model"));
    let expected = bits(model.classify("什么时候发货"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let model = Arc::clone(&model);
            scope.spawn(move || assert_eq!(bits(model.classify("什么时候发货")), expected));
        }
    });
}
