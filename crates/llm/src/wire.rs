//! The documents of `/chat/completions`, as far as they are used. Endpoints add and leave out as they like: whatever is
//! not needed may be missing, null, or anything at all.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Prompt, Settings, Usage, prompt::Message, reply::Finish};

/// The most tokens that an endpoint is believed to have counted of one question or one answer.
const COUNTED_MAX: u64 = 10_000_000;

#[derive(Debug, Serialize)]
pub(crate) struct Question<'a> {
    model: &'a str,
    messages: &'a [Message],
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> Question<'a> {
    pub(crate) fn new(settings: &'a Settings, prompt: &'a Prompt, max_tokens: u32) -> Self {
        Self {
            model: &settings.model,
            messages: &prompt.messages,
            max_tokens,
            temperature: settings.temperature,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
        }
    }
}

/// A piece of an answer, or all of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) finish: Option<Finish>,
    pub(crate) usage: Option<Usage>,
    /// The endpoint's words about an error.
    pub(crate) error: Option<String>,
    /// It has the shape of an answer.
    pub(crate) choice: bool,
}

#[derive(Deserialize)]
struct Document {
    choices: Option<Vec<Choice>>,
    usage: Option<Counts>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    delta: Option<Said>,
    message: Option<Said>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// Reads a document; none where it is not of this protocol.
pub(crate) fn read(bytes: &[u8]) -> Option<Part> {
    let document: Document = serde_json::from_slice(bytes).ok()?;
    if let Some(error) = document.error {
        return Some(Part { error: Some(words(&error)), ..Part::default() });
    }
    if document.choices.is_none() && document.usage.is_none() {
        return None;
    }
    let mut part = Part {
        usage: document.usage.map(|counts| Usage {
            tokens_in: counts.prompt_tokens.min(COUNTED_MAX),
            tokens_out: counts.completion_tokens.min(COUNTED_MAX),
            counted: true,
        }),
        ..Part::default()
    };
    // Only one answer was asked for.
    let mut choices = document.choices.unwrap_or_default().into_iter();
    let Some(choice) = choices.find(|choice| choice.index == 0) else { return Some(part) };
    part.choice = true;
    part.text = choice.delta.or(choice.message).and_then(|said| said.content).unwrap_or_default();
    part.finish = choice.finish_reason.as_deref().map(|reason| match reason {
        "stop" => Finish::Stop,
        "length" => Finish::Cut,
        _ => Finish::Other,
    });
    Some(part)
}

/// What an error document says, whatever its shape; empty where it is none.
pub(crate) fn error_words(bytes: &[u8]) -> String {
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    document.get("error").map(words).unwrap_or_default()
}

fn words(error: &Value) -> String {
    let message = error.get("message").unwrap_or(error);
    message.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(json: &str) -> Part {
        read(json.as_bytes()).unwrap_or_else(|| panic!("{json} is read"))
    }

    #[test]
    fn documents_of_many_endpoints_are_read() {
        for (json, text, finish) in [
            (
                r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#,
                "hi",
                None,
            ),
            (r#"{"choices":[{"delta":{"content":"hi"}}],"usage":null}"#, "hi", None),
            (r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#, "", None),
            (r#"{"choices":[{"delta":{"reasoning_content":"hmm"}}]}"#, "", None),
            (r#"{"choices":[{"delta":{"tool_calls":[{"id":"x"}]}}]}"#, "", None),
            (r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, "", Some(Finish::Stop)),
            (r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#, "", Some(Finish::Cut)),
            (r#"{"choices":[{"finish_reason":"content_filter"}]}"#, "", Some(Finish::Other)),
            (r#"{"choices":[]}"#, "", None),
            (
                r#"{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]}"#,
                "yes",
                None,
            ),
            (
                r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"all"},"finish_reason":"stop"}]}"#,
                "all",
                Some(Finish::Stop),
            ),
        ] {
            let part = part(json);
            assert_eq!((part.text.as_str(), part.finish), (text, finish), "{json}");
        }
        let counted = part(r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#);
        assert_eq!(counted.usage, Some(Usage { tokens_in: 7, tokens_out: 3, counted: true }));
        assert!(!counted.choice);
        let json =
            format!(r#"{{"usage":{{"prompt_tokens":{0},"completion_tokens":{0}}}}}"#, u64::MAX);
        let (tokens_in, tokens_out) = (COUNTED_MAX, COUNTED_MAX);
        assert_eq!(part(&json).usage, Some(Usage { tokens_in, tokens_out, counted: true }));
    }

    #[test]
    fn errors_are_read_in_every_shape() {
        for (json, expected) in [
            (r#"{"error":{"message":"no such model","type":"x"}}"#, "no such model"),
            (r#"{"error":"model not loaded"}"#, "model not loaded"),
            (r#"{"error":{"code":7}}"#, ""),
        ] {
            assert_eq!(part(json).error.as_deref(), Some(expected), "{json}");
            assert_eq!(error_words(json.as_bytes()), expected);
        }
        assert_eq!(error_words(b"<html>"), "");
        assert!(part(r#"{"error":null,"choices":[]}"#).error.is_none());
    }

    #[test]
    fn anything_else_is_no_answer() {
        for json in [
            "",
            "hello",
            "[]",
            "{}",
            "7",
            r#"{"choices":7}"#,
            r#"{"usage":{"prompt_tokens":-1}}"#,
            "{\"choices\":[",
        ] {
            assert_eq!(read(json.as_bytes()), None, "{json}");
        }
    }
}
