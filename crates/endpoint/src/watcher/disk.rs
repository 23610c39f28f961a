//! The file system of the workspace: how much of it is left, and how much of the rest is the session's.

mod walk;

use super::period::Period;
use crate::Error;
use crate::limit::Limit;
use policy::SessionLimits;
use rustix::fs::{Mode, OFlags, StatVfs};
use sandbox::Meter;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;
use walk::{Uncounted, Walk};

/// Inodes that stay free where the file system counts them: without one, no program of the user's makes a file.
const INODES_FREE_MIN: u64 = 1024;
/// Clocks of file systems are coarse, by seconds at most.
const COARSE_SECONDS: i64 = 2;
/// How many entries of the workspace are counted between two looks at the rest.
const ENTRIES_A_LOOK: usize = 16_384;

/// What is watched of it.
pub(super) struct Disk {
    workspace: OwnedFd,
    device: u64,
    /// Seconds since 1970: what changed since then may be the session's.
    start: i64,
    growth_max: u64,
    free_min: u64,
    watches_inodes: bool,
    free_before: u64,
    /// What was taken from the free space since it was last found out who took it, and what was the session's then.
    taken: u64,
    /// The count that tells, while it is under way, and `taken` when it began.
    walk: Option<Walk>,
    taken_before: u64,
}

impl Disk {
    pub(super) fn open(workspace: &Path, limits: &SessionLimits) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(workspace, flags, Mode::empty()).and_then(|folder| {
            let (stat, space) = (rustix::fs::fstat(&folder)?, rustix::fs::fstatvfs(&folder)?);
            Ok((folder, stat.st_dev, space))
        });
        let (workspace, device, space) = opened.map_err(|errno| Error::system("watch the workspace")(errno.into()))?;
        // The clock by which the kernel stamps files.
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
        Ok(Self {
            workspace,
            device,
            start: now.saturating_sub(COARSE_SECONDS),
            growth_max: limits.workspace_growth_bytes_max,
            free_min: limits.disk_free_bytes_min,
            watches_inodes: space.f_favail >= 2 * INODES_FREE_MIN,
            free_before: free(&space),
            taken: 0,
            walk: None,
            taken_before: 0,
        })
    }

    /// The bound that was reached, if one was.
    pub(super) fn look(&mut self, meter: &Meter, next: &mut Period) -> Option<Limit> {
        // A file system that tells nothing any more has nothing free that could be counted on.
        let Ok(space) = rustix::fs::fstatvfs(&self.workspace) else { return Some(Limit::DiskFree) };
        let free = free(&space);
        // What others give back meanwhile is not the session's to take.
        self.taken = self.taken.saturating_add(self.free_before.saturating_sub(free));
        self.free_before = free;
        next.before_growth_of(free.saturating_sub(self.free_min).min(self.growth_max.saturating_sub(self.taken)));
        if free < self.free_min || (self.watches_inodes && space.f_favail < INODES_FREE_MIN) {
            return Some(Limit::DiskFree);
        }
        if self.walk.is_none() && self.taken <= self.growth_max {
            return None;
        }
        // Somebody took that much: was it the session? Memory must be looked at meanwhile, so it is found out step by step.
        next.at_most(Duration::ZERO);
        match self.count(meter) {
            Ok(None) => None,
            Ok(Some(own)) => {
                self.walk = None;
                self.taken = own;
                (own > self.growth_max).then_some(Limit::WorkspaceGrowth)
            }
            // What cannot be counted counts as its own.
            Err(Uncounted) => Some(Limit::WorkspaceGrowth),
        }
    }

    /// What is the session's, once that is found out.
    fn count(&mut self, meter: &Meter) -> Result<Option<u64>, Uncounted> {
        if self.walk.is_none() {
            self.walk = Some(Walk::new(&self.workspace, self.device, self.start)?);
            self.taken_before = self.taken;
        }
        // A session does not win time by many small files.
        if self.taken - self.taken_before > self.growth_max {
            return Err(Uncounted);
        }
        let Some(walk) = &mut self.walk else { return Ok(None) };
        let named = match walk.go_on(ENTRIES_A_LOOK)? {
            None if walk.bytes() > self.growth_max => walk.bytes(),
            None => return Ok(None),
            Some(named) => named,
        };
        let nameless = meter.unlinked_bytes(self.device).map_err(|_| Uncounted)?.ok_or(Uncounted)?;
        Ok(Some(named.saturating_add(nameless)))
    }
}

fn free(space: &StatVfs) -> u64 {
    space.f_bavail.saturating_mul(space.f_frsize)
}

/// Refuses a workspace whose file system has less left than the policy keeps free.
pub(crate) fn refuse_full(workspace: &Path, limits: &SessionLimits) -> Result<(), Error> {
    let space = rustix::fs::statvfs(workspace).map_err(|errno| Error::system("look at the workspace's file system")(errno.into()))?;
    let (free, bound) = (free(&space), limits.disk_free_bytes_min);
    if free >= bound {
        return Ok(());
    }
    let reason = format!(
        "its file system has {free} bytes free, and the policy keeps {bound} (disk_free_bytes_min under [session.limits]); free some space"
    );
    Err(Error::Path { what: "the workspace", path: workspace.to_owned(), reason })
}
