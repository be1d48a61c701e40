//! How messages are sorted, as HTTP shows and changes it.

use std::sync::Arc;

use frontdesk_api::engine::{IntentConfig, IntentRule, IntentTarget, Intents, Sorting, TriedText};
use frontdesk_catalog::IntentSettings;
use frontdesk_intent::{
    AccountConfig, Context, Decision, Label, Policy, Rule, SmartRouter, Target, Traffic, Why,
};

/// What holds in a place: an inbox, or everywhere in the account where it is empty.
pub(crate) fn shown(
    router: &SmartRouter,
    traffic: &Traffic,
    own: Option<&IntentSettings>,
    place: (&str, &str),
) -> Intents {
    let (inbox, inbox_name) = place;
    let parsed = own.and_then(|own| AccountConfig::parse(&own.document, &router.config()).ok());
    let policy =
        |account: Option<&AccountConfig>| router.policy(Context { inbox, inbox_name, account });
    let effective = policy(parsed.as_ref());
    // What would hold if the place said nothing of its own.
    let outer = parsed.as_ref().filter(|_| !inbox.is_empty()).map(|own| own.without_inbox(inbox));
    let inherited = policy(outer.as_ref());
    let health = router.health();
    Intents {
        sorting: sorting(&effective),
        inherited: sorting(&inherited),
        own: own
            .and_then(|own| serde_json::from_str::<IntentConfig>(&own.document).ok())
            .unwrap_or_default(),
        revision: own.map_or(0, |own| own.revision),
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
