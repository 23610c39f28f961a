//! Carries bytes between the user's standard streams and the session's, and holds the user's terminal raw meanwhile.

use crate::Error;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use sandbox::{Ready, Stdio, Warden};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::thread::{Builder, JoinHandle};

const COPY_BYTES: usize = 64 * 1024;

/// Which of the agent's streams are the session's terminal: those that are terminals outside.
pub(crate) fn stdio() -> [Stdio; 3] {
    let kind = |is_terminal: bool| if is_terminal { Stdio::Terminal } else { Stdio::Pipe };
    [kind(isatty(io::stdin())), kind(isatty(io::stdout())), kind(isatty(io::stderr()))]
}

/// The threads that carry bytes, and the terminal's former settings.
pub(crate) struct Relay {
    outward: Vec<JoinHandle<()>>,
    raw: Option<Raw>,
}

/// The user's terminal as it was; put back when dropped.
struct Raw {
    terminal: OwnedFd,
    before: Termios,
}

impl Drop for Raw {
    fn drop(&mut self) {
        // What has not been read is dropped: it may be the terminal's answer to a query of the agent's, and the user's shell would run it.
        // A terminal that is gone needs no settings.
        let _gone = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// The session's ends of its streams.
#[derive(Default)]
pub(crate) struct Streams {
    pub(crate) terminal: Option<OwnedFd>,
    pub(crate) stdin: Option<OwnedFd>,
    pub(crate) stdout: Option<OwnedFd>,
    pub(crate) stderr: Option<OwnedFd>,
}

impl Streams {
    /// Takes them out of what the warden handed over.
    pub(crate) fn take(ready: &mut Ready) -> Self {
        Self { terminal: ready.terminal.take(), stdin: ready.stdin.take(), stdout: ready.stdout.take(), stderr: ready.stderr.take() }
    }
}

impl Relay {
    /// Starts the threads. Call it after the last fork.
    pub(crate) fn start(streams: Streams) -> Result<Self, Error> {
        let mut outward = Vec::new();
        let mut raw = None;
        if let Some(master) = streams.terminal {
            let copy = master.try_clone().map_err(Error::system("share the session's terminal"))?;
            outward.push(carry("terminal-out", File::from(copy), users_terminal()?)?);
            if isatty(io::stdin()) {
                raw = Some(raw_mode()?);
                // Ends with this process: nobody can wait for a person to type.
                carry(
                    "terminal-in",
                    io::stdin().as_fd().try_clone_to_owned().map(File::from).map_err(Error::system("share standard input"))?,
                    File::from(master),
                )?;
            }
        }
        if let Some(pipe) = streams.stdin {
            carry("input", own(io::stdin())?, File::from(pipe))?;
        }
        if let Some(pipe) = streams.stdout {
            outward.push(carry("output", File::from(pipe), own(io::stdout())?)?);
        }
        if let Some(pipe) = streams.stderr {
            outward.push(carry("errors", File::from(pipe), own(io::stderr())?)?);
        }
        Ok(Self { outward, raw })
    }

    /// Waits until all that the agent wrote has been passed on, and gives the terminal back. The session must be over.
    pub(crate) fn finish(self) {
        for thread in self.outward {
            // A thread that crashed has nothing more to pass on.
            let _ended = thread.join();
        }
        drop(self.raw);
    }
}

/// Tells the session's terminal the size of the user's.
pub(crate) fn resize(warden: &Warden) {
    let size = [tcgetwinsize(io::stdin()), tcgetwinsize(io::stdout()), tcgetwinsize(io::stderr())].into_iter().find_map(Result::ok);
    if let Some(size) = size {
        warden.resize(size.ws_row, size.ws_col);
    }
}

fn own(stream: impl AsFd) -> Result<File, Error> {
    stream.as_fd().try_clone_to_owned().map(File::from).map_err(Error::system("share a standard stream"))
}

/// Where the session's terminal is shown: the first of the user's streams that is a terminal and can be written.
fn users_terminal() -> Result<File, Error> {
    if isatty(io::stdout()) {
        own(io::stdout())
    } else if isatty(io::stderr()) {
        own(io::stderr())
    } else {
        own(io::stdin())
    }
}

fn raw_mode() -> Result<Raw, Error> {
    let terminal = io::stdin().as_fd().try_clone_to_owned().map_err(Error::system("share standard input"))?;
    let before = tcgetattr(&terminal).map_err(|errno| Error::system("read the terminal's settings")(errno.into()))?;
    let mut changed = before.clone();
    changed.make_raw();
    tcsetattr(&terminal, OptionalActions::Drain, &changed)
        .map_err(|errno| Error::system("change the terminal's settings")(errno.into()))?;
    Ok(Raw { terminal, before })
}

fn carry(name: &str, from: File, to: File) -> Result<JoinHandle<()>, Error> {
    Builder::new().name(name.into()).spawn(move || copy(from, to)).map_err(Error::system("start a thread that carries bytes"))
}

/// Copies until one side ends. When the reader outside is gone, what comes is dropped, so that the agent does not stand still.
fn copy(mut from: File, to: File) {
    let mut to = Some(to);
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // EIO: the last process let go of the session's terminal.
            Err(_) => return,
        };
        if to.as_mut().is_some_and(|to| to.write_all(buffer.get(..length).unwrap_or_default()).is_err()) {
            to = None;
        }
    }
}
