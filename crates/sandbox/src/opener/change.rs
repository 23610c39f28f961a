//! Changes names and attributes for the agent: makes, removes, renames, links, truncates, sets modes, owners, times and extended attributes.
//!
//! As with opening, no call is let through. The warden resolves the folder, looks at what it found, and acts on that: between the look and
//! the act no process of the session can change a name, since each would have to ask the warden, which does one thing at a time.

mod act;
mod asked;
mod check;
mod form;
mod moved;
mod place;

use super::{Opener, asked as path_asked};
use crate::Error;
use crate::opener::target::Target;
use crate::seccomp::{Notification, Reply};
use asked::{Asked, Said};
use place::Place;
use rustix::io::Errno;
use schema::event::{FileChange, FileMode};
use std::os::fd::AsFd;
use std::path::PathBuf;

/// What is to be reported of a change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Done {
    Changed(PathBuf, FileChange),
    /// Its content.
    Written(PathBuf),
}

/// Why a change was not made.
#[derive(Debug)]
struct Refused {
    errno: Errno,
    /// What was to be changed, if it got so far.
    path: Option<PathBuf>,
    /// Whether a guard refused it; then it is reported whatever the errno.
    is_guarded: bool,
}

impl Refused {
    /// By a guard.
    fn guarded(path: PathBuf) -> Self {
        Self { errno: Errno::ACCESS, path: Some(path), is_guarded: true }
    }

    /// By the kernel.
    fn at(path: &std::path::Path) -> impl Fn(Errno) -> Self {
        move |errno| Self { errno, path: Some(path.to_owned()), is_guarded: false }
    }
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self { errno, path: None, is_guarded: false }
    }
}

/// Reads a call and looks its names up, as before a change, and changes nothing: see [`crate::hostile`].
#[cfg(any(test, fuzzing))]
pub(super) fn look(choice: u8, call: Notification, target: Target<'_>) {
    let forms = form::numbers().count().max(1);
    let number = form::numbers().nth(usize::from(choice) % forms).and_then(|number| i32::try_from(number).ok());
    let call = Notification { number: number.unwrap_or_default(), ..call };
    let Some(asked) = form::find(call.number).and_then(|form| Asked::read(form, &call, target).ok().flatten()) else { return };
    let (first, second) = asked.places();
    for said in [Some(first), second].into_iter().flatten() {
        let _found = Place::resolve(said, target).map(|place| place.path());
    }
}

impl Opener {
    /// Answers one call.
    pub(super) fn change(&mut self, call: &Notification) -> Result<(), Error> {
        let Some(form) = form::find(call.number) else { return self.refuse(call) };
        if form.is_forbidden(&call.arguments) {
            return self.refuse(call);
        }
        let target = self.target(call.task);
        let read = Asked::read(form, call, target);
        if !self.listener.is_valid(call.id) {
            return Ok(());
        }
        let asked = match read {
            Ok(Some(asked)) => asked,
            Ok(None) => return self.changed(call.id, Vec::new()),
            Err(errno) => return self.unchanged(call, &errno.into()),
        };
        let (first, second) = asked.places();
        let place = [Some(first), second].map(|said| said.map(|said| Place::resolve(said, target)).transpose());
        let result = match place {
            [Err(errno), _] => Err(Refused { errno, path: self.said(first), is_guarded: false }),
            [_, Err(errno)] => Err(Refused { errno, path: second.and_then(|said| self.said(said)), is_guarded: false }),
            [Ok(Some(first)), Ok(second)] => self.carry_out(&asked, &first, second.as_ref(), target),
            [Ok(None), _] => Err(Errno::NOENT.into()),
        };
        match result {
            Ok(done) => self.changed(call.id, done),
            Err(refused) => self.unchanged(call, &refused),
        }
    }

    fn carry_out(&self, asked: &Asked, first: &Place, second: Option<&Place>, target: Target<'_>) -> Result<Vec<Done>, Refused> {
        check::stays(&self.fixed, asked, first, second)?;
        check::check(&self.guards, asked, first, second)?;
        let planned = act::reports(asked, first, second);
        let is_known = planned.iter().all(|done| match done {
            Done::Changed(path, change) => self.journal.may_change(path, *change),
            Done::Written(path) => self.journal.may_open(path, FileMode::Write),
        });
        if !is_known {
            return Err(Errno::NFILE.into());
        }
        if asked.makes_mode() {
            rustix::process::umask(target.mask()?);
        }
        let act = act::Act { host_proc: self.host_proc.as_fd(), file_bytes_max: self.file_bytes_max };
        act.carry_out(asked, first, second).map_err(Refused::at(&first.path()))?;
        Ok(planned)
    }

    fn changed(&mut self, id: u64, done: Vec<Done>) -> Result<(), Error> {
        for one in done {
            match one {
                Done::Changed(path, change) => self.journal.changed(&path, change)?,
                Done::Written(path) => drop(self.journal.opened(&path, FileMode::Write)?),
            }
        }
        self.listener.reply(id, &Reply::Done);
        Ok(())
    }

    fn unchanged(&mut self, call: &Notification, refused: &Refused) -> Result<(), Error> {
        let tells = refused.is_guarded || matches!(refused.errno, Errno::ACCESS | Errno::PERM | Errno::ROFS);
        match &refused.path {
            _ if !tells => {}
            Some(path) => self.journal.refused(path, FileMode::Write, refused.errno.raw_os_error())?,
            // What was asked for is refused wherever it would have been.
            None => self.journal.call(call.full)?,
        }
        self.fail(call.id, refused.errno);
        Ok(())
    }

    /// The path as it was asked for.
    fn said(&self, said: &Said) -> Option<PathBuf> {
        match said {
            Said::Entry(way) | Said::Object(way) => Some(path_asked(self.host_proc.as_fd(), way.base.as_ref(), &way.request)),
            Said::Descriptor(_) | Said::Held(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
