//! The local model: a server that answers OpenAI chat completions from one GGUF file, on the CPU of this machine.
//!
//! [`serve`] is the whole of a child process. It needs the model's file, `/proc` and its shared libraries, and no network: the listening
//! Unix socket is handed to it. What it serves:
//!
//! - `POST /v1/chat/completions`, streamed or whole. Messages hold text, as a string or as text parts; the roles are `system`, `developer`
//!   (taken as `system`), `user`, `assistant` and `tool`. Kept to: `max_tokens`, `max_completion_tokens`, `temperature`, `top_p`, `seed`,
//!   `stop`, `stream`, `stream_options.include_usage`.
//! - `GET /v1/models`, which names the one model. A call may name any model; this one answers, under its own name.
//!
//! The model cannot call tools: `tools` in a request are ignored, and so is every other parameter that is not named here, except those
//! whose loss a caller could not see (`n` above 1, `logprobs`, `response_format`): these are refused. An assistant's message without text
//! (only tool calls) is left out of the prompt.
//!
//! Text never forges a role: control words of the chat format in a message are ordinary text to the model. One answer is computed at a
//! time, a few more wait, others are refused as `overloaded`. When the client goes, its answer stops. Nothing of a prompt or an answer is
//! logged or kept.
#![forbid(unsafe_code)]

mod error;
mod faster;
mod generation;
mod limits;
mod model_file;
mod quiet;
mod refusal;
mod reply;
mod request;
mod server;
mod stop;
mod text;
mod threads;
mod vocabulary;
mod worker;

pub use error::Error;
pub use limits::Limits;
pub use server::serve;
pub use threads::environment;
