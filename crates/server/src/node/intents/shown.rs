//! How messages are sorted, as HTTP shows and changes it.

use std::sync::Arc;

use frontdesk_api::engine::{IntentConfig, IntentRule, IntentTarget, Intents, Sorting, TriedText};
use frontdesk_intent::{
    AccountConfig, Context, Decision, Label, Policy, Rule, SmartRouter, Target, Traffic, Why,
};

use super::accounts::Own;

/// What holds in a place: an inbox, or everywhere in the account where it is empty.
pub(crate) fn shown(
    router: &SmartRouter,
    traffic: &Traffic,
    own: Option<&Own>,
    place: (&str, &str),
) -> Intents {
    let (inbox, inbox_name) = place;
    let policy =
        |account: Option<&AccountConfig>| router.policy(Context { inbox, inbox_name, account });
    let config = own.and_then(|own| own.config.as_deref().ok());
    let effective = policy(config);
    // What would hold if the place said nothing of its own.
    let inherited = match config {
        Some(config) if !inbox.is_empty() => router.policy_around(config, inbox, inbox_name),
        _ => policy(None),
    };
    let health = router.health();
    Intents {
        sorting: sorting(&effective),
        inherited: sorting(&inherited),
        own: own
            .and_then(|own| serde_json::from_str::<IntentConfig>(&own.settings.document).ok())
            .unwrap_or_default(),
        revision: own.map_or(0, |own| own.settings.revision),
        void: own.and_then(|own| own.config.as_ref().err()).map(|error| error.reason.clone()),
        has_model: health.is_there,
        is_open: health.is_open,
        decided: traffic.decided().map(|(step, count)| (step.as_str(), count)).into(),
        seen: Label::ALL.map(|label| (label.as_str(), traffic.seen(label).to_vec())).into(),
    }
}

fn sorting(policy: &Arc<Policy>) -> Sorting {
    let thresholds = [
        (Label::Complaint, policy.thresholds.complaint),
        (Label::Consult, policy.thresholds.consult),
        (Label::Sales, policy.thresholds.sales),
    ];
    let targets = policy.targets.iter();
    Sorting {
        thresholds: thresholds.map(|(label, of)| (label.as_str(), of)).into(),
        targets: targets.map(|(intent, target)| shown_target(intent, target)).collect(),
        rules: policy.rules.iter().map(shown_rule).collect(),
    }
}

/// What became of a text somebody tried.
pub(crate) fn tried(decision: Decision) -> TriedText {
    let Decision { intent, confidence, source, why, target, took } = decision;
    let (mut words, mut scores, mut trouble) = (None, None, None);
    match why {
        Why::Words(found) => words = Some(found),
        Why::Scores(of) => {
            scores = Some(Label::ALL.into_iter().map(Label::as_str).zip(of).collect());
        }
        Why::Trouble(what) => trouble = Some(what.as_str()),
        Why::Empty => {}
    }
    TriedText {
        target: intent.as_deref().map(|intent| shown_target(intent, &target)),
        intent,
        step: source.as_str(),
        confidence,
        words,
        scores,
        trouble,
        took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    }
}

fn shown_target(intent: &str, target: &Target) -> IntentTarget {
    IntentTarget {
        intent: intent.to_owned(),
        team: target.team.clone(),
        skills: target.skills.clone(),
        priority: target.priority,
    }
}

fn shown_rule(rule: &Rule) -> IntentRule {
    let Rule { intent, keywords, regex } = rule.clone();
    IntentRule { intent, keywords, regex }
}
