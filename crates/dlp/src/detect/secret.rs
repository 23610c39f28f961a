//! Secrets: one automaton over every prefix and keyword is the gate; each match is then looked at closely.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::{finding::Sink, text::Text};

mod assignment;
mod private_key;
mod provider;
mod value;
mod web_token;

use provider::{PROVIDERS, Provider};

#[derive(Clone, Copy)]
enum Trigger {
    Provider(&'static Provider),
    PrivateKey,
    WebToken,
    Url,
    Bearer,
    Name,
    /// A name so short that it is one only as a word of its own.
    ShortName,
}

/// The gate.
pub(crate) struct Secrets {
    automaton: Option<AhoCorasick>,
    triggers: Vec<Trigger>,
}

impl Secrets {
    /// Builds the automaton.
    pub(crate) fn new() -> Self {
        let mut patterns: Vec<&str> = Vec::new();
        let mut triggers = Vec::new();
        for provider in PROVIDERS {
            patterns.push(provider.prefix);
            triggers.push(Trigger::Provider(provider));
        }
        for (pattern, trigger) in
            [("-----BEGIN ", Trigger::PrivateKey), ("eyJ", Trigger::WebToken), ("://", Trigger::Url), ("bearer ", Trigger::Bearer)]
        {
            patterns.push(pattern);
            triggers.push(trigger);
        }
        for name in assignment::NAMES {
            patterns.push(name);
            triggers.push(Trigger::Name);
        }
        for name in assignment::SHORT_NAMES {
            patterns.push(name);
            triggers.push(Trigger::ShortName);
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(&patterns).ok();
        Self { automaton, triggers }
    }

    /// Whether the gate could be built; without it nothing may pass.
    pub(crate) fn is_ready(&self) -> bool {
        self.automaton.is_some()
    }

    /// Looks at every match of the gate.
    pub(crate) fn detect(&self, text: Text<'_>, sink: &mut Sink) {
        let Some(automaton) = &self.automaton else { return };
        for found in automaton.find_overlapping_iter(text.bytes()) {
            match self.triggers.get(found.pattern().as_usize()) {
                Some(Trigger::Provider(provider)) => provider::detect(text, found.start(), provider, sink),
                Some(Trigger::PrivateKey) => private_key::detect(text, found.start(), sink),
                Some(Trigger::WebToken) => web_token::detect(text, found.start(), sink),
                Some(Trigger::Url) => assignment::detect_url(text, found.end(), sink),
                Some(Trigger::Bearer) => assignment::detect_bearer(text, found.start(), found.end(), sink),
                Some(Trigger::Name) => assignment::detect(text, found.end(), sink),
                Some(Trigger::ShortName) => assignment::detect_short(text, found.start(), found.end(), sink),
                None => {}
            }
        }
    }
}
