use crate::refusal::Refusal;
use crate::{AgentFacts, Policy};
use schema::{RefusalCode, Token, Trust};

/// Whether a session may start: who would keep its record, and for which purpose it would work.
///
/// # Errors
/// A [`Refusal`] if the record would be kept by less than the policy demands, if a required purpose is missing, or if the purpose
/// is not in the register.
pub fn decide_session(policy: &Policy, trust: Trust, purpose: Option<&Token>) -> Result<(), Refusal> {
    if trust < policy.session.trust_minimum {
        return Err(policy.refusal(RefusalCode::Denied, "session.trust_minimum"));
    }
    match purpose {
        None if policy.session.purpose_required => Err(policy.refusal(RefusalCode::Denied, "session.purpose_required")),
        Some(purpose) if !policy.purposes.is_empty() && !policy.purposes.contains(purpose) => {
            Err(policy.refusal(RefusalCode::Denied, "purpose"))
        }
        None | Some(_) => Ok(()),
    }
}

/// Whether an agent may be started at all.
///
/// # Errors
/// A [`Refusal`] if the policy names agents and this is none of them.
pub fn decide_agent(policy: &Policy, facts: &AgentFacts<'_>) -> Result<(), Refusal> {
    let agents = &policy.session.agents;
    if agents.is_empty() || agents.iter().any(|agent| agent.describes(facts)) {
        return Ok(());
    }
    Err(policy.refusal(RefusalCode::ProgramDenied, "session.agents"))
}
