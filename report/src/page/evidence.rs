//! What went wrong, operation by operation; in a run where nothing did, what the clients did around the first fault.

use maud::{Markup, html};
use rashomon_history::TimeNs;

use super::Page;
use super::timeline::{self, Scene};
use crate::describe::{between, clip, count, counted, who};
use crate::verdict::{Anomaly, OperationRecord, OutcomeKind, Verdict};

const MOST_ANOMALIES: usize = 20;
/// Operations listed of one anomaly.
const MOST_OPERATIONS: usize = 100;
/// Characters of one operation's text.
const MOST_TEXT: usize = 400;

impl Page<'_> {
    pub(super) fn evidence(&self) -> Markup {
        let file = self.input.verdict;
        html! {
            section id="evidence" aria-labelledby="evidence-title" {
                @if file.verdict == Verdict::Invalid || !file.witness.is_empty() { (self.violation()) } @else { (self.interesting_moment()) }
            }
        }
    }

    fn violation(&self) -> Markup {
        let file = self.input.verdict;
        html! {
            h2 id="evidence-title" { "What went wrong" }
            @if let Some(first) = file.anomalies.first() {
                p.anomaly { (anomaly_name(first)) }
                // The verdict's own reason stands at the top already.
                @if first.explanation != file.reason { p.story { (clip(&first.explanation, 4000)) } }
                (self.cycle(first, "cycle-1"))
            }
            @if file.witness.is_empty() {
                p.none { "The check named no operations that show it." }
            } @else {
                (self.timeline(&Scene::around_witness(&file.witness, self.operations)))
                h3 { (counted(file.witness.len() as u64, "operation")) " that can’t be one story" }
                (operation_list(&file.witness, "operation"))
            }
            (self.further_anomalies(&file.anomalies))
        }
    }

    fn interesting_moment(&self) -> Markup {
        let fault = self.faults.iter().find(|fault| fault.failed.is_none());
        let moment = fault.map_or(TimeNs(self.end.0 / 2), |fault| fault.began);
        html! {
            @match fault {
                Some(fault) => h2 id="evidence-title" { "The clients when fault #" (fault.number) " (" (clip(&fault.kind, 40)) ") began" },
                None => h2 id="evidence-title" { "The clients in the middle of the run" },
            }
            @if self.operations.is_empty() { p.none { "No client asked anything." } }
            @else { (self.timeline(&Scene::around_moment(moment, self.operations))) }
        }
    }

    fn further_anomalies(&self, anomalies: &[Anomaly]) -> Markup {
        let further = anomalies.get(1..).unwrap_or_default();
        html! {
            @if !further.is_empty() {
                h3 { "Further anomalies: " (count(further.len() as u64)) }
                @for (position, anomaly) in further.iter().take(MOST_ANOMALIES).enumerate() {
                    details.anomaly {
                        summary { (anomaly_name(anomaly)) ", " (counted(anomaly.operations.len() as u64, "operation")) }
                        p.story { (clip(&anomaly.explanation, 4000)) }
                        (self.cycle(anomaly, &format!("cycle-{}", position + 2)))
                        (operation_list(&anomaly.operations, &format!("anomaly-{}", position + 2)))
                    }
                }
                @if further.len() > MOST_ANOMALIES { p.note { "All of them stand in verdict.json." } }
            }
        }
    }

    fn timeline(&self, scene: &Scene) -> Markup {
        timeline::draw(scene, &self.faults, &self.palette, self.end)
    }
}

fn anomaly_name(anomaly: &Anomaly) -> Markup {
    html! {
        strong.kind { (clip(&anomaly.kind, 80)) }
        @if let Some(key) = &anomaly.key { " of key " code { (clip(key, 120)) } }
    }
}

/// The operations in sentences. `anchor` names the targets of the timeline's links.
fn operation_list(operations: &[OperationRecord], anchor: &str) -> Markup {
    html! {
        ol.operations {
            @for (position, operation) in operations.iter().take(MOST_OPERATIONS).enumerate() {
                li id={ (anchor) "-" (position + 1) } class=(operation.outcome.as_str()) {
                    p.text { code { (clip(&operation.text, MOST_TEXT)) } }
                    p.when { (sentence(operation)) " " span.index { "(index " (operation.index) " in history.jsonl)" } }
                }
            }
        }
        @if operations.len() > MOST_OPERATIONS {
            p.note { "The first " (MOST_OPERATIONS) " of " (count(operations.len() as u64)) "; all stand in verdict.json." }
        }
    }
}

fn sentence(operation: &OperationRecord) -> String {
    let asked = operation.invoked_ns;
    let who = who(operation).replacen("process", "Process", 1).replacen(" on ", " asked ", 1);
    let who = if operation.node.is_some() { who } else { format!("{who} asked") };
    match (operation.outcome, operation.completed_ns) {
        (OutcomeKind::Ok, Some(completed)) => {
            format!("{who} at {asked} and was answered at {completed}, {} later.", between(asked, completed))
        }
        (OutcomeKind::Fail, Some(completed)) => {
            format!("{who} at {asked} and was refused at {completed}: it did not happen.")
        }
        (OutcomeKind::Info, Some(completed)) => {
            format!(
                "{who} at {asked} and gave up at {completed}: it may have taken effect at any time after it was asked."
            )
        }
        (OutcomeKind::Ok | OutcomeKind::Fail | OutcomeKind::Info, None) => {
            format!("{who} at {asked} and no answer came: it may have taken effect at any time after it was asked.")
        }
    }
}
