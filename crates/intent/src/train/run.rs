//! The order of a training's stages, from texts to files.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    Progress, Recipe, Stage, TrainError, TrainOptions, Trained,
    curve::{self, Losses},
    files::{self, Checkpoint, Position},
    fit::{self, Held},
    linear::train_ngrams,
    network::Network,
    random::Random,
    stages, vocabulary,
};
use crate::{
    Example, LABELS,
    eval::{Judged, Report, Thresholds, report},
    model::{
        Activation, BertConfig, CALIBRATION_FILE, CONFIG_FILE, Calibration, Classifier, Pooling,
        TOKENIZER_FILE, Tensors, Tokens, VOCABULARY_FILE, WEIGHTS_FILE,
    },
    read_examples,
    text::normalise,
};

/// Texts without which nothing is learned.
const TEXTS_MIN: usize = 40;
/// Industries from which on whole ones are held back.
const INDUSTRIES_MIN: usize = 10;
/// File of the loss curve.
const CURVE_FILE: &str = "loss.svg";

/// Trains a model as the options say. `progress` is told after every step.
pub fn train(
    options: &TrainOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Trained, TrainError> {
    let examples = read_examples(&options.data).map_err(TrainError::Read)?;
    let examples: Vec<&Example> = examples.iter().collect();
    train_examples(&examples, options, progress)
}

/// Trains a model on examples that are at hand; `options.data` is not read.
pub fn train_examples(
    examples: &[&Example],
    options: &TrainOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Trained, TrainError> {
    if examples.len() < TEXTS_MIN {
        return Err(TrainError::TooFew { texts: examples.len(), least: TEXTS_MIN });
    }
    fs::create_dir_all(&options.out)
        .map_err(|source| TrainError::Io { path: options.out.clone(), source })?;
    let (learned, held_back) = calibration_split(examples, options.recipe.held_back);
    let begin = match &options.base {
        Some(base) => Begin::from_base(base, &options.out)?,
        None => Begin::from_texts(&learned, &options.recipe, &options.out)?,
    };
    let mut run = Run::new(options, &begin, &learned, progress)?;
    let network = run.stages()?;
    let losses = std::mem::take(&mut run.losses);
    let ngrams = train_ngrams(&learned, &options.recipe.ngrams, options.seed);
    files::write_encoder(&options.out, &network)?;
    files::write_ngrams(&options.out, &ngrams)?;
    let config = serde_json::to_vec_pretty(&begin.config).expect("a configuration is plain");
    files::write(&options.out.join(CONFIG_FILE), &config)?;
    if !losses.is_empty() {
        files::write(&options.out.join(CURVE_FILE), curve::svg(&losses).as_bytes())?;
    }
    let texts: Vec<Vec<u32>> = held_back.iter().map(|example| begin.ids(&example.text)).collect();
    let encoded = stages::logits(&network, &texts).map_err(TrainError::Tensor)?;
    let held: Vec<Held> = held_back
        .iter()
        .zip(encoded)
        .map(|(example, encoder)| Held {
            label: example.label,
            encoder,
            ngrams: ngrams.logits(&normalise(&example.text)),
        })
        .collect();
    let calibration = fit::fit(&held);
    let json = serde_json::to_vec_pretty(&calibration).expect("a calibration is plain");
    files::write(&options.out.join(CALIBRATION_FILE), &json)?;
    let classifier = Classifier::open(&options.out).map_err(TrainError::Model)?;
    let whole = judged(&held_back, |at| classifier.classify(&held_back[at].text));
    let alone = Calibration { encoder_weight: 0.0, ..calibration_alone(&held) };
    let ngrams_alone =
        judged(&held_back, |at| alone.probabilities(&held[at].encoder, &held[at].ngrams));
    // The n-grams that are kept learn from all texts: they are most of what the model knows, and take seconds. How
    // sure they are of what they have not seen was fitted above.
    let ngrams = train_ngrams(examples, &options.recipe.ngrams, options.seed);
    files::write_ngrams(&options.out, &ngrams)?;
    Checkpoint::new(&options.out)?.remove()?;
    Ok(Trained {
        directory: options.out.clone(),
        texts: examples.len(),
        vocabulary: begin.config.vocab_size,
        calibration,
        held_back: whole,
        ngrams_alone,
    })
}

/// Judges what is said of each of the texts held back, by its place.
fn judged(held_back: &[&Example], classify: impl Fn(usize) -> [f32; LABELS]) -> Report {
    let judged: Vec<Judged> = held_back
        .iter()
        .enumerate()
        .map(|(at, example)| {
            let began = Instant::now();
            let probabilities = classify(at);
            Judged {
                label: example.label,
                lang: example.lang.clone(),
                probabilities,
                took_us: began.elapsed().as_secs_f64() * 1e6,
            }
        })
        .collect();
    report(&judged, &Thresholds::default())
}

/// The temperature of the n-grams alone, so that they are compared at their best.
fn calibration_alone(held: &[Held]) -> Calibration {
    let silent: Vec<Held> = held
        .iter()
        .map(|one| Held { label: one.label, encoder: [0.0; LABELS], ngrams: one.ngrams })
        .collect();
    fit::fit(&silent)
}

/// Parts the texts to learn from those held back: every so many industries a whole one, or where there are few of them
/// every so many texts.
pub fn calibration_split<'a>(
    examples: &[&'a Example],
    every: usize,
) -> (Vec<&'a Example>, Vec<&'a Example>) {
    let every = every.max(2);
    let mut industries: Vec<&str> =
        examples.iter().map(|example| example.industry.as_str()).collect();
    industries.sort_unstable();
    industries.dedup();
    let whole = industries.len() >= INDUSTRIES_MIN;
    let chosen: Vec<&str> = industries.into_iter().skip(every / 2).step_by(every).collect();
    let (mut learned, mut held_back) = (Vec::new(), Vec::new());
    for (at, example) in examples.iter().enumerate() {
        let held = if whole {
            chosen.contains(&example.industry.as_str())
        } else {
            at % every == every / 2
        };
        if held { held_back.push(*example) } else { learned.push(*example) }
    }
    (learned, held_back)
}

/// What is there before the first step.
struct Begin {
    config: BertConfig,
    tokens: Tokens,
    weights: BTreeMap<String, Vec<f32>>,
}

impl Begin {
    /// A vocabulary of the texts, and nothing learned.
    fn from_texts(examples: &[&Example], recipe: &Recipe, out: &Path) -> Result<Self, TrainError> {
        let texts: Vec<String> = examples.iter().map(|example| normalise(&example.text)).collect();
        let entries = vocabulary::learn(texts.iter().map(String::as_str), recipe.vocabulary);
        let lines = entries.join("\n");
        files::write(&out.join(VOCABULARY_FILE), lines.as_bytes())?;
        let config = BertConfig {
            model_type: "bert".to_owned(),
            vocab_size: entries.len(),
            hidden_size: recipe.width,
            num_hidden_layers: recipe.layers,
            num_attention_heads: recipe.heads,
            intermediate_size: recipe.inner,
            hidden_act: Activation::Relu,
            max_position_embeddings: 64,
            type_vocab_size: 1,
            layer_norm_eps: 1e-6,
            classifier_pooling: Pooling::Mean,
            normalised_text: true,
        };
        Ok(Self {
            tokens: Tokens::from_lines(&lines).map_err(TrainError::Vocabulary)?,
            config,
            weights: BTreeMap::new(),
        })
    }

    /// Sizes, vocabulary and weights of a model.
    fn from_base(base: &Path, out: &Path) -> Result<Self, TrainError> {
        // Whatever is wrong with it is found, and named, by opening it.
        Classifier::open(base).map_err(TrainError::Model)?;
        let read = |file: &str| {
            let path = base.join(file);
            fs::read(&path).map_err(|source| TrainError::Io { path, source })
        };
        let mut config: BertConfig =
            serde_json::from_slice(&read(CONFIG_FILE)?).map_err(|source| {
                TrainError::Model(crate::model::ModelError::Json {
                    file: CONFIG_FILE.to_owned(),
                    source,
                })
            })?;
        config.classifier_pooling = Pooling::Mean;
        let vocabulary =
            if base.join(TOKENIZER_FILE).exists() { TOKENIZER_FILE } else { VOCABULARY_FILE };
        let bytes = read(vocabulary)?;
        files::write(&out.join(vocabulary), &bytes)?;
        let tokens = if vocabulary == TOKENIZER_FILE {
            Tokens::from_json(&bytes)
        } else {
            Tokens::from_lines(&String::from_utf8_lossy(&bytes))
        };
        let bytes = read(WEIGHTS_FILE)?;
        let tensors = Tensors::read(WEIGHTS_FILE, &bytes).map_err(TrainError::Model)?;
        let mut weights = BTreeMap::new();
        for name in tensors.names() {
            let is_head = name.starts_with("classifier.")
                || name.starts_with("cls.")
                || name.starts_with("bert.");
            let ours = if is_head { name.clone() } else { format!("bert.{name}") };
            // Tensors that are no weights, such as position ids, are of other types.
            let values = tensors.shape(&name).and_then(|shape| tensors.floats(&name, &shape));
            if let Ok(values) = values {
                weights.insert(ours, values);
            }
        }
        Ok(Self { config, tokens: tokens.map_err(TrainError::Vocabulary)?, weights })
    }

    fn ids(&self, text: &str) -> Vec<u32> {
        if self.config.normalised_text {
            self.tokens.ids(&normalise(text))
        } else {
            self.tokens.ids(text)
        }
    }
}

/// A training under way.
struct Run<'a> {
    recipe: Recipe,
    seed: u64,
    begin: &'a Begin,
    examples: &'a [&'a Example],
    checkpoint: Checkpoint,
    position: Position,
    progress: &'a mut dyn FnMut(Progress),
    losses: Vec<Losses>,
    /// Passes done before this run, and of all stages.
    passes: (usize, usize),
    began: Instant,
    steps: usize,
}

impl<'a> Run<'a> {
    fn new(
        options: &TrainOptions,
        begin: &'a Begin,
        examples: &'a [&'a Example],
        progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, TrainError> {
        let recipe = options.recipe;
        let checkpoint = Checkpoint::new(&options.out)?;
        let position = checkpoint.position(fingerprint(options, examples));
        let teachers = recipe.teachers.max(1);
        let distil = usize::from(teachers > 1);
        Ok(Self {
            recipe,
            seed: options.seed,
            begin,
            examples,
            checkpoint,
            position,
            progress,
            losses: Vec::new(),
            passes: (0, recipe.pretrain_epochs + recipe.epochs * (teachers + distil)),
            began: Instant::now(),
            steps: 0,
        })
    }

    /// Pretraining, then each teacher, then the one that learns from all.
    fn stages(&mut self) -> Result<Network, TrainError> {
        let teachers = self.recipe.teachers.max(1);
        self.stage(0, Stage::Pretrain, &self.begin.weights, &[])?;
        let pretrained = self.checkpoint.finished(0)?;
        for teacher in 1..=teachers {
            self.stage(teacher, Stage::Finetune, &pretrained, &[])?;
        }
        let mut last = teachers;
        if teachers > 1 {
            let taught = (1..=teachers)
                .map(|teacher| self.network(&self.checkpoint.finished(teacher)?))
                .collect::<Result<Vec<_>, TrainError>>()?;
            last = teachers + 1;
            self.stage(last, Stage::Distil, &pretrained, &taught)?;
        }
        self.network(&self.checkpoint.finished(last)?)
    }

    fn network(&self, weights: &BTreeMap<String, Vec<f32>>) -> Result<Network, TrainError> {
        let mut random = Random::new(self.seed, 1);
        let network = Network::new(&self.begin.config, &mut random).map_err(TrainError::Tensor)?;
        network.take(weights).map_err(TrainError::Tensor)?;
        Ok(network)
    }

    /// Does what is left of a stage.
    fn stage(
        &mut self,
        number: usize,
        stage: Stage,
        from: &BTreeMap<String, Vec<f32>>,
        teachers: &[Network],
    ) -> Result<(), TrainError> {
        let settings = self.settings(stage);
        let (begin, examples) = (self.begin, self.examples);
        let mask = begin.tokens.id("[MASK]");
        if self.position.stage > number {
            self.passes.0 += settings.epochs;
            return Ok(());
        }
        let network = self.network(from)?;
        let mut optimiser = stages::optimiser(&settings, examples.len());
        if self.position.epoch > 0 {
            self.checkpoint.load(&self.position, &network, &mut optimiser)?;
            self.passes.0 += self.position.epoch;
        }
        let texts: Vec<Vec<u32>> = match stage {
            Stage::Pretrain => examples.iter().map(|example| begin.ids(&example.text)).collect(),
            Stage::Finetune | Stage::Distil => Vec::new(),
        };
        self.losses
            .push(Losses { stage: format!("{} {number}", stage.as_str()), losses: Vec::new() });
        for epoch in self.position.epoch..settings.epochs {
            let mut random = Random::new(self.seed, (number * 10_000 + epoch) as u64 + 100);
            let mut failed = None;
            let mut done = |step: stages::Step| self.step(stage, &step, &mut failed);
            match stage {
                Stage::Pretrain => stages::pretrain_epoch(
                    &network,
                    &mut optimiser,
                    &texts,
                    mask.unwrap_or(0),
                    &settings,
                    &mut random,
                    &mut done,
                ),
                Stage::Finetune | Stage::Distil => stages::finetune_epoch(
                    &network,
                    teachers,
                    &mut optimiser,
                    examples,
                    &|text| begin.ids(text),
                    mask,
                    &settings,
                    &mut random,
                    &mut done,
                ),
            }
            .map_err(TrainError::Tensor)?;
            if let Some(step) = failed {
                return Err(TrainError::Diverged { stage, step });
            }
            self.passes.0 += 1;
            self.position.epoch = epoch + 1;
            self.position.step = optimiser.step;
            self.checkpoint.save(&self.position, &network, &optimiser)?;
        }
        let weights =
            if optimiser.memories.is_empty() { files::plain(&network)? } else { optimiser.means() };
        self.checkpoint.finish(&self.position, &weights)?;
        self.position = Position { stage: number + 1, epoch: 0, step: 0, ..self.position.clone() };
        Ok(())
    }

    /// Tells about a step, and remembers the first that went wrong.
    fn step(&mut self, stage: Stage, step: &stages::Step, failed: &mut Option<usize>) {
        self.steps += 1;
        if let Some(losses) = self.losses.last_mut() {
            losses.losses.push(step.loss);
        }
        let (before, passes) = self.passes;
        let done = before * step.of + step.done;
        let of = passes * step.of;
        if !step.loss.is_finite() {
            failed.get_or_insert(done);
        }
        let each = self.began.elapsed().as_secs_f64() / self.steps as f64;
        (self.progress)(Progress {
            stage,
            step: done,
            of,
            loss: step.loss,
            eta: Duration::from_secs_f64(each * of.saturating_sub(done) as f64),
        });
    }

    fn settings(&self, stage: Stage) -> stages::Settings {
        let recipe = self.recipe;
        let labels = stages::Settings {
            epochs: recipe.epochs,
            rate: recipe.rate,
            decay: recipe.decay,
            dropout: recipe.dropout,
            smoothing: recipe.smoothing,
            variants: recipe.variants,
            word_dropout: recipe.word_dropout,
            texts_per_batch: recipe.texts_per_batch,
            averaging: recipe.averaging,
        };
        match stage {
            Stage::Pretrain => stages::Settings {
                epochs: recipe.pretrain_epochs,
                rate: recipe.pretrain_rate,
                decay: 0.01,
                ..labels
            },
            Stage::Finetune | Stage::Distil => labels,
        }
    }
}

/// Options and texts as one number (FNV-1a): what a checkpoint belongs to.
fn fingerprint(options: &TrainOptions, examples: &[&Example]) -> u64 {
    let described = format!("{:?} {} {:?}", options.recipe, options.seed, options.base);
    let texts = examples.iter().flat_map(|example| [example.text.as_str(), example.label.as_str()]);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in std::iter::once(described.as_str()).chain(texts).flat_map(str::bytes) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    hash
}
