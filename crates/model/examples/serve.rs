//! Serves a model on a Unix socket, to try it by hand:
//!
//! ```sh
//! RAYON_NUM_THREADS=2 cargo run -p model --example serve -- MODEL.gguf /tmp/model.sock &
//! curl --unix-socket /tmp/model.sock http://model/v1/chat/completions -d '{"messages":[{"role":"user","content":"Say hello."}]}'
//! ```
#![expect(clippy::print_stderr, reason = "an example for people")]

use model::{Limits, serve};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [model, socket] = arguments.as_slice() else {
        eprintln!("usage: serve MODEL.gguf SOCKET");
        return ExitCode::from(2);
    };
    // A socket that an earlier run left behind.
    let _absent = std::fs::remove_file(socket);
    let listener = match UnixListener::bind(socket) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("binding {}: {error}; choose another path", socket.to_string_lossy());
            return ExitCode::FAILURE;
        }
    };
    match serve(listener, Path::new(model), Limits::default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
