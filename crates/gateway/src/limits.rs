//! The gateway's own bounds. Those it shares with other rooms are in [`schema::bounds`].

/// Most connections from agents at once; more wait in the listener's queue.
pub const CONNECTIONS_MAX: usize = 256;
/// Most calls at once; more are refused as `gateway.overloaded`.
pub const CALLS_MAX: u32 = 128;
/// Most bytes of request bodies held at once, over all calls; more are refused as `gateway.overloaded`.
pub const BODIES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Longest request head, in bytes; one that arrives at once may be up to twice as long.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most header fields of a request.
pub const HEADERS_MAX: usize = 100;
/// Longest wait for a request head, also between requests on one connection.
pub const HEAD_SECONDS_MAX: u64 = 60;
/// Longest pause between two parts of a request body.
pub const BODY_PAUSE_SECONDS_MAX: u64 = 30;
/// Longest time for a whole request body.
pub const BODY_SECONDS_MAX: u64 = 300;
/// Longest value of a header that is passed on to an upstream, in bytes.
pub const PASSED_HEADER_BYTES_MAX: usize = 1024;
/// Bodies above this are inspected beside the event loop, in bytes.
pub const INSPECT_INLINE_BYTES_MAX: usize = 64 * 1024;
/// Threads for such inspections and for name look-ups.
pub const BLOCKING_THREADS_MAX: usize = 4;
/// Longest time to open a connection to an upstream.
pub const CONNECT_SECONDS_MAX: u64 = 10;
/// Most addresses tried for one upstream.
pub const UPSTREAM_ADDRESSES_MAX: usize = 8;
/// Idle connections kept to one upstream.
pub const UPSTREAM_IDLE_CONNECTIONS_MAX: usize = 64;
/// How long an idle connection to an upstream is kept.
pub const UPSTREAM_IDLE_SECONDS_MAX: u64 = 30;
/// Longest wait for the head of an upstream's answer: models think before they answer.
pub const ANSWER_HEAD_SECONDS_MAX: u64 = 600;
/// Longest pause between two parts of an upstream's answer.
pub const ANSWER_PAUSE_SECONDS_MAX: u64 = 300;
/// Largest answer of an upstream, in bytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest wait for an upstream to end its body after the dialect's own end.
pub const ANSWER_TAIL_SECONDS_MAX: u64 = 1;
/// Parts of a streamed answer that wait for a slow agent.
pub const ANSWER_PARTS_QUEUED_MAX: usize = 16;
/// Largest key or token file, in bytes.
pub const SECRET_FILE_BYTES_MAX: u64 = 4096;
/// Shortest bearer token of a client, in bytes.
pub const CLIENT_TOKEN_BYTES_MIN: usize = 24;
/// Most registered clients.
pub const CLIENTS_MAX: usize = 1024;
/// Most signed thoughts that a session remembers; later ones are masked like any other text.
pub const THOUGHTS_MAX: usize = 65_536;
/// How long calls under way may take to their outcome when the gateway stops.
pub const STOP_SECONDS_MAX: u64 = 5;
