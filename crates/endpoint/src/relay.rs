//! Carries bytes between the user's standard streams and the session's, and holds the user's terminal raw meanwhile.

use crate::outflow::Outflow;
use crate::{Error, supervise};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{OptionalActions, QueueSelector, Termios, isatty, tcflush, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr};
use sandbox::{Ready, Signals, Stdio, Warden};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread::Builder;

const COPY_BYTES: usize = 64 * 1024;

/// Which of the agent's streams are the session's terminal: those that are terminals outside.
pub(crate) fn stdio() -> [Stdio; 3] {
    let kind = |is_terminal: bool| if is_terminal { Stdio::Terminal } else { Stdio::Pipe };
    [kind(isatty(io::stdin())), kind(isatty(io::stdout())), kind(isatty(io::stderr()))]
}

/// The threads that carry bytes, and the terminal's former settings.
pub(crate) struct Relay {
    /// Ends when every thread that carries the agent's output has ended.
    carried: UnixStream,
    raw: Option<Raw>,
}

/// The user's terminal as it was, and as it is meanwhile; put back when dropped.
struct Raw {
    terminal: OwnedFd,
    before: Termios,
    meanwhile: Termios,
}

impl Drop for Raw {
    fn drop(&mut self) {
        // What has not been read is dropped: it may be the terminal's answer to a query of the agent's, and the user's shell would run it.
        let _dropped = tcflush(&self.terminal, QueueSelector::IFlush);
        // At once: a terminal that shows nothing any more would never be done with what was written. One that is gone needs no settings.
        let _gone = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
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
    pub(crate) fn start(streams: Streams, outflow: &Outflow) -> Result<Self, Error> {
        let (carried, ending) = UnixStream::pair().map_err(Error::system("watch the threads that carry bytes"))?;
        let outward = |name, from: OwnedFd, to, when_gone| {
            let ending = ending.try_clone().map_err(Error::system("watch the threads that carry bytes"))?;
            carry(name, Way { from: File::from(from), to, when_gone, outflow: Some(outflow.clone()) }, Some(ending))
        };
        let inward = |name, to: OwnedFd| {
            carry(name, Way { from: own(io::stdin())?, to: File::from(to), when_gone: WhenGone::Stop, outflow: None }, None)
        };
        let mut raw = None;
        if let Some(master) = streams.terminal {
            let copy = master.try_clone().map_err(Error::system("share the session's terminal"))?;
            outward("terminal-out", copy, users_terminal()?, WhenGone::Discard)?;
            if isatty(io::stdin()) {
                raw = Some(raw_mode()?);
                // Ends with this process: nobody can wait for a person to type.
                inward("terminal-in", master)?;
            }
        }
        if let Some(pipe) = streams.stdin {
            inward("input", pipe)?;
        }
        if let Some(pipe) = streams.stdout {
            outward("output", pipe, own(io::stdout())?, WhenGone::Stop)?;
        }
        if let Some(pipe) = streams.stderr {
            outward("errors", pipe, own(io::stderr())?, WhenGone::Stop)?;
        }
        Ok(Self { carried, raw })
    }

    /// Sets the terminal anew after this process was stopped and goes on: the shell has had it meanwhile.
    pub(crate) fn resume(&self) {
        let Some(raw) = &self.raw else { return };
        // In the background it is somebody else's, and touching it would stop this process again.
        if tcgetpgrp(&raw.terminal) == Ok(rustix::process::getpgrp()) {
            // A terminal that is gone needs no settings.
            let _gone = tcsetattr(&raw.terminal, OptionalActions::Now, &raw.meanwhile);
        }
    }

    /// Waits until all that the agent wrote has been passed on, or until a signal says that nobody wants it, and gives the terminal back.
    /// The session must be over.
    pub(crate) fn finish(self, signals: &Signals) {
        loop {
            let mut polled = [PollFd::new(&self.carried, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
            let waited = poll(&mut polled, None);
            let [carried, _] = polled.map(|one| !one.revents().is_empty());
            if carried || !matches!(waited, Ok(_) | Err(rustix::io::Errno::INTR)) {
                return;
            }
            if std::iter::from_fn(|| signals.next()).any(supervise::is_end) {
                return;
            }
        }
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
    let mut meanwhile = before.clone();
    meanwhile.make_raw();
    if !isatty(io::stdout()) || !isatty(io::stderr()) {
        // What comes through a pipe, and what others of the pipeline write, has bare line feeds.
        meanwhile.output_modes = before.output_modes;
    }
    tcsetattr(&terminal, OptionalActions::Now, &meanwhile)
        .map_err(|errno| Error::system("change the terminal's settings")(errno.into()))?;
    Ok(Raw { terminal, before, meanwhile })
}

/// What becomes of bytes when nobody takes them any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenGone {
    /// The sender is told, as if nothing stood between: its pipe breaks.
    Stop,
    /// They are dropped: a terminal cannot break, and the agent must not stand still.
    Discard,
}

/// From where to where bytes are carried.
struct Way {
    from: File,
    to: File,
    when_gone: WhenGone,
    /// What the session may write; none for what it reads.
    outflow: Option<Outflow>,
}

/// Starts a thread for one way; `ending` closes when it ends.
fn carry(name: &str, way: Way, ending: Option<UnixStream>) -> Result<(), Error> {
    let thread = Builder::new().name(name.into()).spawn(move || {
        copy(way);
        drop(ending);
    });
    thread.map(|_| ()).map_err(Error::system("start a thread that carries bytes"))
}

/// Copies until one side ends.
fn copy(way: Way) {
    let Way { mut from, mut to, when_gone, outflow } = way;
    let mut pace = outflow.as_ref().map(Outflow::pace);
    let mut is_wanted = true;
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => length,
            Err(error) if may_go_on(&error, &from, PollFlags::IN) => continue,
            // EIO: the last process let go of the session's terminal.
            Err(_) => return,
        };
        // A terminal holds nothing that could fill up.
        let may_pass = outflow.as_ref().filter(|_| when_gone == WhenGone::Stop).map_or(length, |outflow| outflow.take(length));
        if is_wanted && !write_whole(&mut to, buffer.get(..may_pass).unwrap_or_default()) {
            if when_gone == WhenGone::Stop {
                return;
            }
            is_wanted = false;
        }
        if may_pass < length {
            return;
        }
        if let (Some(outflow), Some(pace)) = (&outflow, &mut pace) {
            outflow.hold_up(pace, length);
        }
    }
}

/// Writes everything; false if that cannot be done.
fn write_whole(to: &mut File, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return false,
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(error) if may_go_on(&error, to, PollFlags::OUT) => {}
            Err(_) => return false,
        }
    }
    true
}

/// Whether a failure is none: an interruption, or a stream that another program made non-blocking for all that share it (waited for here).
fn may_go_on(error: &io::Error, stream: &File, ready: PollFlags) -> bool {
    if error.kind() == io::ErrorKind::WouldBlock {
        let waited = poll(&mut [PollFd::new(stream, ready)], None);
        return matches!(waited, Ok(_) | Err(rustix::io::Errno::INTR));
    }
    error.kind() == io::ErrorKind::Interrupted
}

#[cfg(test)]
mod tests;
