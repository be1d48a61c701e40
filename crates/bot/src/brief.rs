//! What a person reads who takes over: a few lines, taken from what was said, without an LLM. The same session gives the
//! same brief.

use std::fmt::Write as _;

use crate::flow::{Flow, Step};
use crate::template::{plain, shortened};
use crate::{Language, Moment, Reason, State};

/// Longest brief.
pub const CHARACTERS_MAX: usize = 600;
/// What each part may take, so that all of them fit and the last line is never cut.
const FORM_CHARACTERS_MAX: usize = 110;
const NOTE_CHARACTERS_MAX: usize = 110;
const ANSWERS_CHARACTERS_MAX: usize = 80;
const WANTED_CHARACTERS_MAX: usize = 120;
/// What the name of one value may take of them.
const LABEL_CHARACTERS_MAX: usize = 30;

/// Writes the brief of a session, in the team's language. The flows, as they are now, say what was asked for.
pub fn brief(
    state: &State,
    flows: &[Flow],
    moment: &Moment<'_>,
    reason: Reason,
    note: Option<&str>,
    language: Language,
) -> String {
    let mut lines = Vec::new();
    let mut line = |english: &'static str, chinese: &'static str, text: &str| {
        if !text.is_empty() {
            let colon = language.pick(": ", "：");
            lines.push(format!("{}{colon}{text}", language.pick(english, chinese)));
        }
    };
    let wanted = if state.wanted.is_empty() { &state.last } else { &state.wanted };
    line("Wants", "诉求", &shortened(&plain(wanted), WANTED_CHARACTERS_MAX));
    if let Some(note) = note {
        line("Note", "备注", &shortened(&plain(note), NOTE_CHARACTERS_MAX));
    }
    let mut filled = String::new();
    for (name, value) in state.variables.iter().filter(|(_, value)| !value.is_empty()) {
        let comma = if filled.is_empty() { "" } else { language.pick(", ", "，") };
        let label = label_of(flows, name, language);
        let label = label.unwrap_or_else(|| match name.as_str() {
            // What a bot asks for by itself.
            "email" => language.pick("E-mail", "邮箱").to_owned(),
            "phone" => language.pick("Phone", "电话").to_owned(),
            own => own.to_owned(),
        });
        let written = write!(filled, "{comma}{label} {value}");
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    line("Filled in", "已填写", &shortened(&filled, FORM_CHARACTERS_MAX));
    let answered = state.answered.join(language.pick("; ", "；"));
    let answered = if answered.is_empty() {
        language.pick("nothing", "无").to_owned()
    } else {
        shortened(&answered, ANSWERS_CHARACTERS_MAX)
    };
    line("Bot answered", "机器人已答", &answered);
    let intent = moment.intent.map(|intent| shortened(&intent_name(intent, language), 30));
    line("Intent", "意图", &intent.unwrap_or_default());
    let turns = state.turns;
    let why = in_words(reason, language);
    let tag = shortened(&plain(moment.language), 20);
    lines.push(match language {
        Language::English => {
            format!("Language: {tag}. Messages: {turns}. Handed over because {why}.")
        }
        Language::Chinese => format!("语言：{tag}。消息数：{turns}。转接原因：{why}。"),
    });
    shortened(&lines.join("\n"), CHARACTERS_MAX)
}

/// What the visitor was asked for a variable: the label of a form's field, or the question above buttons. The state
/// keeps no flow with a variable, so where flows ask for it in different words there is none.
fn label_of(flows: &[Flow], variable: &str, language: Language) -> Option<String> {
    let mut labels = flows.iter().flat_map(|flow| flow.steps.values()).filter_map(|step| {
        let text = match step {
            Step::Form(form) => &form.fields.iter().find(|field| field.id == variable)?.label,
            Step::Ask { text, save, .. } if save.as_deref() == Some(variable) => text,
            _ => return None,
        };
        Some(text.pick(language))
    });
    let label = labels.next()?;
    // A question that is filled in from the session would show its placeholders.
    let fits = !label.contains('{') && labels.all(|other| other == label);
    let label = shortened(&plain(label), LABEL_CHARACTERS_MAX);
    (fits && !label.is_empty()).then_some(label)
}

/// In the words of the console; one of the account's own as it is, with blanks, which its name cannot have.
fn intent_name(intent: &str, language: Language) -> String {
    let (english, chinese) = match intent {
        "complaint" => ("Complaint", "投诉"),
        "consult" => ("Inquiry", "咨询"),
        "sales" => ("Sales", "购买意向"),
        "human" => ("Wants a person", "要求人工"),
        "other" => ("Other", "其他"),
        own => return plain(&own.replace('_', " ")),
    };
    language.pick(english, chinese).to_owned()
}

fn in_words(reason: Reason, language: Language) -> &'static str {
    let (english, chinese) = match reason {
        Reason::Asked => ("the visitor asked for a person", "访客要求人工服务"),
        Reason::Unsure => ("the bot did not understand", "机器人未能理解"),
        Reason::Complaint => ("the visitor complains", "访客投诉"),
        Reason::Angry => ("the visitor is angry", "访客情绪激动"),
        Reason::Flow => ("a flow says so", "流程转接"),
        Reason::BotFailed => ("the bot failed", "机器人故障"),
    };
    language.pick(english, chinese)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Speaker;

    fn session() -> State {
        let mut state = State::default();
        state.hear("Hi! Where is my parcel? It was sent last week.");
        state.hear("A-1001");
        state.save("order_number", "A-1001");
        state.save("email", "ada@example.com");
        state.answered.push("How long delivery takes".to_owned());
        state
    }

    #[test]
    fn it_says_what_a_person_has_to_know() {
        let moment = Moment { language: "en-GB", intent: Some("consult"), ..Moment::default() };
        let text = brief(&session(), &[], &moment, Reason::Asked, Some("VIP"), Language::English);
        assert_eq!(
            text,
            "Wants: Where is my parcel?\n\
             Note: VIP\n\
             Filled in: E-mail ada@example.com, order_number A-1001\n\
             Bot answered: How long delivery takes\n\
             Intent: Inquiry\n\
             Language: en-GB. Messages: 2. Handed over because the visitor asked for a person."
        );
        assert_eq!(
            brief(&session(), &[], &moment, Reason::Unsure, None, Language::Chinese),
            "诉求：Where is my parcel?\n\
             已填写：邮箱 ada@example.com，order_number A-1001\n\
             机器人已答：How long delivery takes\n\
             意图：咨询\n\
             语言：en-GB。消息数：2。转接原因：机器人未能理解。"
        );
    }

    #[test]
    fn what_was_filled_in_goes_by_what_was_asked() {
        let flow = |name: &str, label: &str, question: &str| {
            let yaml = format!(
                "
name: {name}
start: {{ when: {{ greeting: true }} }}
steps:
  ask:
    ask:
      text: {{ en: '{question}', zh-CN: 什么事？ }}
      choices: [{{ id: order, label: {{ en: My order }}, goto: form }}]
      save: topic
  form:
    form:
      title: {{ en: Which one? }}
      fields:
        - {{ id: order_number, kind: order_number, label: {{ en: '{label}', zh-CN: 订单号 }} }}
    goto: end
  end: {{ end: true }}
"
            );
            Flow::parse(&yaml).unwrap()
        };
        let mut state = State::default();
        state.save("order_number", "A-1001");
        state.save("topic", "My order");
        state.save("tier", "gold");
        let filled = |flows: &[Flow], language: Language| {
            let text = brief(&state, flows, &Moment::default(), Reason::Asked, None, language);
            let line = text.lines().find(|line| line.starts_with(language.pick("Filled", "已填")));
            line.unwrap_or_default().to_owned()
        };
        let about = "What is it about?";
        let flows = [flow("a", "Order number", about), flow("b", "Order number", about)];
        assert_eq!(
            filled(&flows, Language::English),
            "Filled in: Order number A-1001, tier gold, What is it about? My order"
        );
        assert_eq!(
            filled(&flows, Language::Chinese),
            "已填写：订单号 A-1001，tier gold，什么事？ My order"
        );
        // Which of two questions was answered, the session does not know.
        let flows = [flow("a", "Order number", about), flow("b", "Number of the return", about)];
        assert!(filled(&flows, Language::English).contains(": order_number A-1001,"));
        // A question with a value of the session in it would show its placeholder.
        let flows = [flow("a", "Order number", "About {tier}?")];
        assert!(filled(&flows, Language::English).ends_with(", topic My order"));
    }

    #[test]
    fn an_intent_goes_by_its_name() {
        let intent = |name, language| {
            let moment = Moment { intent: Some(name), ..Moment::default() };
            let text = brief(&State::default(), &[], &moment, Reason::Asked, None, language);
            let line = text.lines().find(|line| line.starts_with(language.pick("Intent", "意图")));
            line.unwrap_or_default().to_owned()
        };
        assert_eq!(intent("complaint", Language::English), "Intent: Complaint");
        assert_eq!(intent("complaint", Language::Chinese), "意图：投诉");
        assert_eq!(intent("human", Language::Chinese), "意图：要求人工");
        assert_eq!(intent("return_goods", Language::English), "Intent: return goods");
        assert_eq!(intent("退货", Language::Chinese), "意图：退货");
    }

    #[test]
    fn titles_end_with_a_word() {
        let mut state = State::default();
        state.answered.push("How to send something back within thirty days".to_owned());
        state.answered.push("What we refund, and when the money arrives again".to_owned());
        let text = brief(&state, &[], &Moment::default(), Reason::Asked, None, Language::English);
        assert!(
            text.contains(
                "Bot answered: How to send something back within thirty days; What we refund, and when the…"
            ),
            "{text}"
        );
    }

    #[test]
    fn it_is_short_whatever_was_written() {
        let mut state = State::default();
        state.hear(&"x".repeat(64 << 10));
        for number in 0..50 {
            state.save(&format!("v{number}"), &"长".repeat(500));
        }
        state.answered = vec!["t".repeat(100); 5];
        let intent = "i".repeat(1_000);
        let moment = Moment { language: &intent, intent: Some(&intent), ..Moment::default() };
        let note = "n".repeat(10_000);
        for language in Language::ALL {
            let text = brief(&state, &[], &moment, Reason::Complaint, Some(&note), language);
            assert!(text.chars().count() <= CHARACTERS_MAX, "{}", text.chars().count());
            let end = if language == Language::English { "complains." } else { "投诉。" };
            assert!(text.ends_with(end), "the last line is not cut: {text}");
        }
    }

    #[test]
    fn lines_cannot_be_forged_by_a_visitor() {
        let mut state = State::default();
        state.save("name", "x\nIntent: gold customer");
        state.history.push_back(crate::Line { by: Speaker::Visitor, text: String::new() });
        let text = brief(&state, &[], &Moment::default(), Reason::Flow, None, Language::English);
        assert!(!text.contains("\nIntent"), "{text}");
    }
}
