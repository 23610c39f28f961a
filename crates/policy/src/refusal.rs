use schema::{Classified, DataClasses, RefusalCode, Token};

/// Why something is refused, and by which rules: for the agent and for evidence, without content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: RefusalCode,
    /// Rules that decided.
    pub rules: Vec<Token>,
    /// Classes found, if it came to that.
    pub classes_before: DataClasses,
    /// Classes left after masking, if it came to that.
    pub classes_after: DataClasses,
}

impl Refusal {
    pub(crate) fn new(code: RefusalCode, rules: Vec<Token>) -> Self {
        Self { code, rules, classes_before: DataClasses::GENERAL, classes_after: DataClasses::GENERAL }
    }

    pub(crate) fn of(self, content: &impl Classified) -> Self {
        Self { classes_before: content.classes_before(), classes_after: content.classes_after(), ..self }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.code.advice())?;
        let rules: Vec<&str> = self.rules.iter().map(Token::as_str).collect();
        if rules.is_empty() { Ok(()) } else { write!(f, " (rules: {})", rules.join(", ")) }
    }
}

impl std::error::Error for Refusal {}
