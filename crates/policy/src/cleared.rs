use crate::Upstream;
use schema::{Token, Verdict};

/// Content that [`crate::decide`] let go, with where it may go. Nothing else makes one:
///
/// ```compile_fail,E0451
/// fn forge(route: policy::Upstream) -> policy::Cleared<&'static str> {
///     policy::Cleared { content: "not decided upon", route, rules: vec![], verdict: schema::Verdict::Allow }
/// }
/// ```
///
/// ```compile_fail,E0624
/// fn mint(route: policy::Upstream) -> policy::Cleared<&'static str> {
///     policy::Cleared::mint("not decided upon", route, vec![], schema::Verdict::Allow)
/// }
/// ```
///
/// It cannot be copied, so one decision lets one call go, and its content cannot be exchanged:
///
/// ```compile_fail,E0599
/// fn twice(cleared: policy::Cleared<&'static str>) -> policy::Cleared<&'static str> {
///     cleared.clone()
/// }
/// ```
///
/// ```compile_fail,E0616
/// fn exchange(mut cleared: policy::Cleared<&'static str>) {
///     cleared.content = "something else";
/// }
/// ```
///
/// Reading it is fine:
///
/// ```
/// fn read(cleared: &policy::Cleared<&'static str>) -> (&'static str, schema::Boundary) {
///     (cleared.content(), cleared.route().boundary())
/// }
/// ```
pub struct Cleared<T> {
    content: T,
    route: Upstream,
    rules: Vec<Token>,
    verdict: Verdict,
}

impl<T> Cleared<T> {
    pub(crate) fn mint(content: T, route: Upstream, rules: Vec<Token>, verdict: Verdict) -> Self {
        Self { content, route, rules, verdict }
    }

    /// The content.
    pub fn content(&self) -> &T {
        &self.content
    }

    /// Where it goes, and nowhere else.
    pub fn route(&self) -> &Upstream {
        &self.route
    }

    /// Rules that let it go.
    pub fn rules(&self) -> &[Token] {
        &self.rules
    }

    /// [`Verdict::Allow`] or [`Verdict::Redact`].
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Content, route, rules and verdict; what comes out is no longer cleared.
    pub fn into_parts(self) -> (T, Upstream, Vec<Token>, Verdict) {
        (self.content, self.route, self.rules, self.verdict)
    }
}

/// Without the content, which may not be printed.
impl<T> std::fmt::Debug for Cleared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cleared").field("route", &self.route.name()).field("verdict", &self.verdict).finish_non_exhaustive()
    }
}
