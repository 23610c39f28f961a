use serde_json::{Value, json};
use std::fmt::{Display, Write};

/// What the rules found, and the meters.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Everything that breaks a rule.
    pub(crate) findings: Vec<Finding>,
    meters: Vec<Meter>,
}

/// One breach.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The rule's stable name.
    pub(crate) rule: &'static str,
    /// File, or file and line.
    pub(crate) place: String,
    /// What is wrong, and what to do.
    pub(crate) message: String,
}

#[derive(Debug)]
struct Meter {
    name: &'static str,
    value: String,
    gate: String,
}

impl Report {
    /// Notes a breach.
    pub(crate) fn find(&mut self, rule: &'static str, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { rule, place: place.into(), message: message.into() });
    }

    /// Notes a measured value beside its gate.
    pub(crate) fn meter(&mut self, name: &'static str, value: impl Display, gate: impl Into<String>) {
        self.meters.push(Meter { name, value: format!("{value}"), gate: gate.into() });
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let width = |cell: fn(&Meter) -> &str| self.meters.iter().map(|meter| cell(meter).chars().count()).max().unwrap_or(0);
        let (names, values) = (width(|meter| meter.name), width(|meter| &meter.value));
        let mut text = String::new();
        for meter in &self.meters {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:names$}  {:>values$}  gate {}", meter.name, meter.value, meter.gate);
        }
        for finding in &self.findings {
            let _ = write!(text, "\n{}: [{}] {}", finding.place, finding.rule, finding.message);
        }
        if self.findings.is_empty() {
            text.push_str("\ntidy");
        } else {
            let _ = write!(text, "\n\n{} breaches", self.findings.len());
        }
        text
    }

    /// For machines.
    pub(crate) fn json(&self) -> Value {
        json!({
            "meters": self.meters.iter().map(|meter| json!({"name": meter.name, "value": meter.value, "gate": meter.gate})).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(|finding| json!({"rule": finding.rule, "place": finding.place, "message": finding.message})).collect::<Vec<_>>(),
        })
    }
}
