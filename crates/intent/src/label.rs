//! The four things a visitor can want, in the order every table of the crate has them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Labels there are.
pub const LABELS: usize = 4;

/// What a text asks of the company's team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Dissatisfied with the company: demands, scolds, urges a promise that was not kept.
    Complaint,
    /// Wants to know or get something done, without blame and without an intent to buy.
    Consult,
    /// A lead: what a salesperson should answer first.
    Sales,
    /// Nothing for the team: greetings, thanks, small talk, vendors, settled matters.
    Other,
}

impl Label {
    /// Every label, in the order of probabilities and of stored tensors.
    pub const ALL: [Self; LABELS] = [Self::Complaint, Self::Consult, Self::Sales, Self::Other];

    /// Place in [`Label::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name used in files and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::Consult => "consult",
            Self::Sales => "sales",
            Self::Other => "other",
        }
    }

    /// The likeliest label and its probability; the first of several that are equal.
    pub fn likeliest(probabilities: &[f32; LABELS]) -> (Self, f32) {
        let mut best = 0;
        for at in 1..LABELS {
            if probabilities[at] > probabilities[best] {
                best = at;
            }
        }
        (Self::ALL[best], probabilities[best])
    }

    /// The label of two texts that one visitor wrote together: complaint, sales, consult, other.
    #[must_use]
    pub fn stronger(self, other: Self) -> Self {
        let rank = |label| match label {
            Self::Complaint => 0,
            Self::Sales => 1,
            Self::Consult => 2,
            Self::Other => 3,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The name is none of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a label: complaint, consult, sales or other is expected")]
pub struct ParseLabelError;

impl FromStr for Label {
    type Err = ParseLabelError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|label| label.as_str() == name).ok_or(ParseLabelError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_places_agree_with_the_order() {
        for (at, label) in Label::ALL.into_iter().enumerate() {
            assert_eq!(label.index(), at);
            assert_eq!(label.as_str().parse(), Ok(label));
            let json = serde_json::to_string(&label).expect("a label is a string");
            assert_eq!(json, format!("\"{label}\""));
        }
        assert_eq!("Complaint".parse::<Label>(), Err(ParseLabelError));
    }

    #[test]
    fn of_two_matters_the_graver_counts() {
        assert_eq!(Label::Consult.stronger(Label::Complaint), Label::Complaint);
        assert_eq!(Label::Sales.stronger(Label::Consult), Label::Sales);
        assert_eq!(Label::Other.stronger(Label::Consult), Label::Consult);
    }

    #[test]
    fn the_first_of_equal_probabilities_is_taken() {
        assert_eq!(Label::likeliest(&[0.25; 4]), (Label::Complaint, 0.25));
        assert_eq!(Label::likeliest(&[0.1, 0.2, 0.3, 0.4]), (Label::Other, 0.4));
    }
}
