use std::io;
use std::path::PathBuf;

/// Why the model cannot be served. Calls are never answered with one of these, and none holds content of a call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("opening the model {path}: {cause}; check that the file is there and readable", path = path.display())]
    Open {
        /// The model's file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file is not a model that this server can use.
    #[error("loading the model {path}: {reason}; fetch the model again, or use a GGUF file of a llama model with the ChatML format", path = path.display())]
    Model {
        /// The model's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// More threads would compute than allowed.
    #[error("starting the model's threads: {found} would compute where {allowed} may; start its process with RAYON_NUM_THREADS={allowed}")]
    Threads {
        /// How many there would be.
        found: usize,
        /// How many may be.
        allowed: usize,
    },
    /// A limit leaves nothing to serve.
    #[error("setting the model's limits: {0} is zero; give at least one")]
    ZeroLimit(&'static str),
    /// The listener cannot be used.
    #[error("taking over the model's listener: {0}; start again")]
    Listener(io::Error),
    /// A thread or the runtime cannot be started.
    #[error("starting the model's server: {0}; free memory, threads or descriptors")]
    Runtime(io::Error),
    /// The server ended although nobody ended it.
    #[error("serving the model: the server stopped by itself; start it again")]
    Stopped,
}
