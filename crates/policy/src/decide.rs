//! Whether a call may go, and where.

use crate::cleared::Cleared;
use crate::refusal::Refusal;
use crate::rules::ClassRule;
use crate::{Policy, Upstream};
use schema::{Classified, DataClass, DataClasses, RefusalCode, Subject, Token, UpstreamKind, Verdict};

/// What is known of a call besides its content.
#[derive(Clone, Copy, Debug)]
pub struct CallFacts<'a> {
    /// Who calls.
    pub subject: &'a Subject,
    /// What the call speaks: [`UpstreamKind::Openai`] or [`UpstreamKind::Anthropic`]; nothing serves a call of another kind.
    pub dialect_kind: UpstreamKind,
    /// The model that is asked for.
    pub model: &'a Token,
}

/// What becomes of a call.
#[derive(Debug)]
pub enum Decision<T> {
    /// It goes as it came.
    Allow(Cleared<T>),
    /// It goes with values masked.
    Redact(Cleared<T>),
    /// A person must approve it.
    Hold(Refusal),
    /// It does not go.
    Deny(Refusal),
}

/// Data classes that may be left when personal data counts as pseudonymised: any other is a value that masking should have
/// taken out, or content that nobody could look into.
const PSEUDONYMISED_WITH: [DataClass; 4] = [DataClass::Personal, DataClass::SpecialCategory, DataClass::Health, DataClass::ClientDocument];

/// Decides on a call: the first upstream that fits its dialect and model and accepts every class left after masking gets it.
///
/// Pure: same policy, facts and classes, same decision. Nothing goes where no rule says that it may. A session without a purpose is
/// refused if the policy requires one, and unmasked credentials are refused whatever the policy says.
pub fn decide<T: Classified>(policy: &Policy, facts: &CallFacts<'_>, content: T) -> Decision<T> {
    let classes = content.classes_after();
    if let Err(refusal) = crate::decide_session(policy, facts.subject.trust, facts.subject.purpose.as_ref()) {
        return Decision::Deny(refusal.of(&content));
    }
    if let Some(refusal) = closed_class(policy, classes) {
        return Decision::Deny(refusal.of(&content));
    }
    let pseudonymised = is_pseudonymised(&content);
    let mut fitting = policy.upstreams.iter().filter(|upstream| upstream.fits(facts.dialect_kind, facts.model)).peekable();
    if fitting.peek().is_none() {
        return Decision::Deny(policy.refusal(RefusalCode::NoRoute, "upstream").of(&content));
    }
    let Some((route, rules)) = fitting.find_map(|upstream| Some((upstream, accepted(policy, upstream, classes, pseudonymised).ok()?)))
    else {
        return Decision::Deny(no_route(policy, facts, classes, pseudonymised).of(&content));
    };
    let held: Vec<Token> = rules_of(policy, classes)
        .filter(|(_, rule)| rule.is_some_and(|rule| rule.hold))
        .map(|(name, _)| policy.rule(&format!("classes.{name}.hold")))
        .collect();
    if !held.is_empty() {
        return Decision::Hold(Refusal::new(RefusalCode::Held, held).of(&content));
    }
    if content.values_masked() == 0 {
        Decision::Allow(Cleared::mint(content, route.clone(), rules, Verdict::Allow))
    } else {
        Decision::Redact(Cleared::mint(content, route.clone(), rules, Verdict::Redact))
    }
}

/// Whether the personal data that is left consists of placeholders only.
fn is_pseudonymised(content: &impl Classified) -> bool {
    let unmasked = content.classes_after().without(PSEUDONYMISED_WITH.into_iter().collect());
    content.values_masked() > 0 && unmasked.is_general()
}

/// A refusal if a class is left that the policy lets go nowhere at all.
fn closed_class(policy: &Policy, classes: DataClasses) -> Option<Refusal> {
    let is_closed = |class: &DataClass| {
        // Pseudonymised data may still find an upstream that accepts it, so an empty list does not settle it here.
        let open = policy.class_rule(*class).is_some_and(|rule| !rule.boundaries.is_empty());
        *class == DataClass::Credential || (!open && *class != DataClass::Personal)
    };
    let closed: Vec<Token> = classes.iter().filter(is_closed).map(|class| policy.rule(&format!("classes.{}", class.name()))).collect();
    (!closed.is_empty()).then(|| Refusal::new(RefusalCode::Denied, closed))
}

/// The rules that a call must meet: the general one, and one for each class.
fn rules_of(policy: &Policy, classes: DataClasses) -> impl Iterator<Item = (&'static str, Option<&ClassRule>)> {
    let general = std::iter::once((crate::keys::GENERAL, policy.general.as_ref()));
    general.chain(classes.iter().map(|class| (class.name(), policy.class_rule(class))))
}

/// The rules by which an upstream accepts all these classes, or those by which it does not.
fn accepted(policy: &Policy, upstream: &Upstream, classes: DataClasses, pseudonymised: bool) -> Result<Vec<Token>, Vec<Token>> {
    let (mut accepting, mut refusing) = (Vec::new(), Vec::new());
    for (name, rule) in rules_of(policy, classes) {
        let relaxed = pseudonymised && name == DataClass::Personal.name() && upstream.accepts_pseudonymised;
        let boundary = relaxed || rule.is_some_and(|rule| rule.boundaries.contains(&upstream.boundary));
        let region = rule.is_none_or(|rule| rule.accepts_region(upstream.region.as_ref()));
        let id = policy.rule(&format!("classes.{name}"));
        match (boundary && region, relaxed) {
            (true, true) => accepting.push(policy.rule(&format!("upstream.{}.accepts_pseudonymised", upstream.name))),
            (true, false) => accepting.push(id),
            (false, _) => refusing.push(id),
        }
    }
    if refusing.is_empty() { Ok(accepting) } else { Err(refusing) }
}

/// The refusal when upstreams fit, but none accepts: every rule that kept one of them from it.
fn no_route(policy: &Policy, facts: &CallFacts<'_>, classes: DataClasses, pseudonymised: bool) -> Refusal {
    let fitting = policy.upstreams.iter().filter(|upstream| upstream.fits(facts.dialect_kind, facts.model));
    let mut rules: Vec<Token> = fitting.filter_map(|upstream| accepted(policy, upstream, classes, pseudonymised).err()).flatten().collect();
    rules.sort();
    rules.dedup();
    Refusal::new(RefusalCode::NoRoute, rules)
}
