//! Where the steps of a flow lead: loops in which the bot would talk to itself, and steps nothing leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Severity, Step};
use super::Checker;

impl Checker {
    /// Looks at the steps there are; those that lead nowhere were told about.
    pub(super) fn graph(
        &mut self,
        first: &str,
        steps: &BTreeMap<String, Step>,
        lines: &BTreeMap<String, u64>,
    ) {
        for path in loops(steps) {
            self.step.clone_from(&path[0]);
            let place = lines.get(&path[0]).copied().unwrap_or(0);
            let mut names: Vec<&str> = path.iter().map(String::as_str).collect();
            names.push(&path[0]);
            let path = names.join(" -> ");
            let reason =
                format!("the bot would go round in a loop without waiting for the visitor: {path}");
            self.error("endless_loop", place, reason).with("path", &path);
        }
        let mut reached = BTreeSet::from([first]);
        let mut open = vec![first];
        while let Some(step) = open.pop().and_then(|step| steps.get(step)) {
            open.extend(step.leads_to().into_iter().filter(|to| reached.insert(to)));
        }
        // A step that was refused leads nowhere, and what it led to would be told about in vain.
        if steps.len() < lines.len() || !reached.iter().all(|step| steps.contains_key(*step)) {
            return;
        }
        for step in steps.keys().filter(|step| !reached.contains(step.as_str())) {
            self.step.clone_from(step);
            let place = lines.get(step).copied().unwrap_or(0);
            self.problem(Severity::Warning, "unreachable_step", place, "no step leads here");
        }
    }
}

/// Loops of steps that do not wait for the visitor; each step is in one of them at most.
fn loops(steps: &BTreeMap<String, Step>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut done = BTreeSet::new();
    for start in steps.keys() {
        // The way down to here, each with what it still has to try.
        let mut way: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut enter = Some(start.as_str());
        loop {
            if let Some(id) = enter.take()
                && !done.contains(id)
                && let Some(step) = steps.get(id).filter(|step| !step.waits())
            {
                if let Some(at) = way.iter().position(|(on_way, _)| *on_way == id) {
                    let path: Vec<String> =
                        way[at..].iter().map(|(id, _)| (*id).to_owned()).collect();
                    done.extend(way[at..].iter().map(|(id, _)| *id));
                    found.push(path);
                } else {
                    let mut to_try = step.leads_to();
                    to_try.reverse();
                    way.push((id, to_try));
                }
            }
            let Some((id, to_try)) = way.last_mut() else { break };
            enter = to_try.pop();
            if enter.is_none() {
                done.insert(*id);
                way.pop();
            }
        }
    }
    found
}
