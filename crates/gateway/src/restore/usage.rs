use crate::dialect::{Dialect, Endpoint};
use crate::json::Node;

/// Tokens as the upstream counted them.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of the prompt, those from a cache included.
    pub tokens_in: Option<u64>,
    /// Of the answer.
    pub tokens_out: Option<u64>,
}

impl Usage {
    /// Takes what an answer or an event says; later ones count on from earlier ones.
    pub(super) fn read(&mut self, endpoint: Endpoint, root: Node<'_>) {
        if endpoint == Endpoint::CountTokens {
            self.tokens_in = root.get("input_tokens").and_then(Node::integer).or(self.tokens_in);
            return;
        }
        let place = root.get("usage").or_else(|| root.get("message").and_then(|message| message.get("usage")));
        let Some(usage) = place else { return };
        let count = |name| usage.get(name).and_then(Node::integer);
        let (tokens_in, tokens_out) = match endpoint.dialect() {
            Dialect::OpenAi => (count("prompt_tokens"), count("completion_tokens")),
            Dialect::Anthropic => {
                let cached = [count("cache_read_input_tokens"), count("cache_creation_input_tokens")];
                let cached = cached.into_iter().flatten().fold(0, u64::saturating_add);
                (count("input_tokens").map(|tokens| tokens.saturating_add(cached)), count("output_tokens"))
            }
        };
        self.tokens_in = tokens_in.or(self.tokens_in);
        self.tokens_out = tokens_out.or(self.tokens_out);
    }
}
