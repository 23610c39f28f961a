use crate::document::Diagnostic;
use crate::refusal::Refusal;
use crate::rules::{ClassRule, UserUpstreams};
use crate::{SessionRules, Upstream, reading};
use schema::{Boundary, DataClass, RefusalCode, Token};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Most upstreams that a user may name.
pub const USER_UPSTREAMS_MAX: usize = 16;

/// What is allowed: made from a policy file, and from nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) profile: Token,
    pub(crate) session: SessionRules,
    pub(crate) user_upstreams: UserUpstreams,
    pub(crate) general: Option<ClassRule>,
    pub(crate) classes: BTreeMap<DataClass, ClassRule>,
    pub(crate) purposes: Vec<Token>,
    /// Those of the user first, then those of the policy.
    pub(crate) upstreams: Vec<Upstream>,
    pub(crate) user_upstream_count: usize,
    pub(crate) digest_input: String,
    /// How much of it is the file.
    pub(crate) text_bytes: usize,
}

impl Policy {
    /// Reads a policy file. `file` is only a name for the messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once, in the file's order.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        reading::policy(file, text)
    }

    /// The policy's name.
    pub fn profile(&self) -> &Token {
        &self.profile
    }

    /// Where calls may go, in the order in which they are tried: the user's upstreams first, in the order given, then the policy's.
    pub fn upstreams(&self) -> &[Upstream] {
        &self.upstreams
    }

    /// What a session must have.
    pub fn session(&self) -> &SessionRules {
        &self.session
    }

    /// The register of purposes.
    pub fn purposes(&self) -> &[Token] {
        &self.purposes
    }

    /// What a valid policy leaves open, to be told to whoever checks it or starts a session under it.
    pub fn warnings(&self) -> Vec<&'static str> {
        let session = &self.session;
        let open = [
            (
                !session.programs.is_stated,
                "[session.programs] has no rule, so that whatever the session can reach may run: write rule = \"listed\" and name programs, or rule = \"any\" if that is meant",
            ),
            (
                session.snapshot.danger_none,
                "[session.snapshot] mode = \"danger_none\": what an agent does to its workspace cannot be undone",
            ),
            (!session.danger_allow_missing.is_empty(), "[session] danger_allow_missing: sessions start where these walls are missing"),
        ];
        open.into_iter().filter(|(is_open, _)| *is_open).map(|(_, text)| text).collect()
    }

    /// The text whose SHA-256 is the policy's digest: the file as it was read, and the user's upstreams if there are any.
    pub fn digest_input(&self) -> &str {
        &self.digest_input
    }

    /// The file's text as it was read.
    pub fn text(&self) -> &str {
        self.digest_input.get(..self.text_bytes).unwrap_or(&self.digest_input)
    }

    /// Adds an upstream that the user named. It is tried before the policy's and after the user's earlier ones.
    ///
    /// # Errors
    /// A [`Refusal`] if the policy takes none, or not within the boundary that the user claims for it.
    pub fn with_user_upstream(mut self, upstream: Upstream) -> Result<Self, Refusal> {
        if !self.user_upstreams.accepted || self.user_upstream_count >= USER_UPSTREAMS_MAX {
            return Err(self.refusal(RefusalCode::Denied, "user_upstreams.accepted"));
        }
        if !self.user_upstreams.boundaries.contains(&upstream.boundary) {
            return Err(self.refusal(RefusalCode::Denied, "user_upstreams.boundaries"));
        }
        let _ = writeln!(self.digest_input, "# --upstream {}", upstream.to_argument());
        let number = self.user_upstream_count + 1;
        let name = if number == 1 { "user".to_owned() } else { format!("user-{number}") };
        let accepts_pseudonymised = self.user_upstreams.accepts_pseudonymised;
        let upstream = Upstream { name: Token::lossy(&name), accepts_pseudonymised, ..upstream };
        self.upstreams.insert(self.user_upstream_count, upstream);
        self.user_upstream_count = number;
        Ok(self)
    }

    /// A rule's id: the profile's name, and where in the file the rule stands.
    pub(crate) fn rule(&self, place: &str) -> Token {
        Token::lossy(&format!("{}/{place}", self.profile))
    }

    pub(crate) fn refusal(&self, code: RefusalCode, place: &str) -> Refusal {
        Refusal::new(code, vec![self.rule(place)])
    }

    pub(crate) fn class_rule(&self, class: DataClass) -> Option<&ClassRule> {
        self.classes.get(&class)
    }

    /// Whether a user's upstreams may claim this boundary.
    pub fn accepts_user_upstreams(&self, boundary: Boundary) -> bool {
        self.user_upstreams.accepted && self.user_upstreams.boundaries.contains(&boundary)
    }
}
