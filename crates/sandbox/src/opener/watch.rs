//! Being told of changes (inotify(7)). Whoever watches a folder is told the names in it, so that what is hidden is not watched; and since the
//! path stands in the agent's memory, where another thread can swap it, the warden sets the watch itself.

use super::attempt::Attempt;
use super::request::{Request, low, low_unsigned};
use super::target::{own, path_of};
use super::{Opener, asked};
use crate::Error;
use crate::guard::{GuardKind, Standing};
use crate::seccomp::{Notification, Reply};
use rustix::fs::inotify::{WatchFlags, add_watch};
use rustix::io::Errno;
use rustix::process::{chdir, fchdir};
use schema::event::FileMode;
use std::os::fd::{AsFd, OwnedFd};

impl Opener {
    /// Watches a file for the agent.
    pub(super) fn watch(&mut self, call: &Notification) -> Result<(), Error> {
        let [inotify, path, flags, ..] = call.arguments;
        let target = self.target(call.task);
        let flags = WatchFlags::from_bits_retain(low_unsigned(flags));
        let read = target.text(path).and_then(|path| {
            let request = Request::object(libc::AT_FDCWD, path, !flags.contains(WatchFlags::DONT_FOLLOW));
            let base = if request.is_relative() { Some(target.base(libc::AT_FDCWD)?) } else { None };
            Ok((target.descriptor(low(inotify))?, request, base))
        });
        let (inotify, request, base) = match read {
            Ok(read) => read,
            Err(errno) => {
                self.fail(call.id, errno);
                return Ok(());
            }
        };
        if !self.listener.is_valid(call.id) {
            return Ok(());
        }
        let found = Attempt { target, request: &request, base: base.as_ref() }.find(request.how);
        let place = match &found {
            Ok(file) => path_of(self.host_proc.as_fd(), file.as_fd()),
            Err(_) => Ok(asked(self.host_proc.as_fd(), base.as_ref(), &request)),
        };
        let set = match (found, place) {
            (_, Ok(place)) if self.guards.standing(&place) == Standing::Guarded(GuardKind::Hidden) => {
                self.journal.refused(&place, FileMode::Read, libc::EACCES)?;
                Err(Errno::ACCESS)
            }
            (Ok(file), Ok(_)) => self.set_watch(&inotify, &file, flags),
            (Err(failure), _) => Err(failure.errno),
            (_, Err(errno)) => Err(errno),
        };
        match set {
            Ok(number) => self.listener.reply(call.id, &Reply::Number(number)),
            Err(errno) => self.fail(call.id, errno),
        }
        Ok(())
    }

    /// There is no call that takes the file by its descriptor, and the host's procfs stands at no path inside.
    fn set_watch(&self, inotify: &OwnedFd, file: &OwnedFd, flags: WatchFlags) -> Result<i32, Errno> {
        fchdir(&self.host_proc)?;
        // The file was found already; what leads to it here is a link.
        let set = add_watch(inotify, own(file.as_fd()).as_c_str(), flags.difference(WatchFlags::DONT_FOLLOW));
        chdir(c"/").and(set)
    }
}
