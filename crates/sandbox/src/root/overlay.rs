//! A folder of the host under a layer that takes what the session writes.

use super::{Pinned, open_path};
use crate::Error;
use crate::plan::Overlay;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen};
use std::os::fd::{AsRawFd, OwnedFd};

/// Lays the overlay, detached. Layers are named by descriptors: no path is looked up again, and none has to be escaped.
pub(super) fn lay(source: &Pinned, overlay: &Overlay, without_execution: bool) -> Result<OwnedFd, Error> {
    let lower = source.open()?;
    let (upper, work) = (open_path(&overlay.upper)?, open_path(&overlay.work)?);
    let by_descriptor = |folder: &OwnedFd| format!("/proc/self/fd/{}", folder.as_raw_fd());
    let mut flags = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    if without_execution {
        flags |= MountAttrFlags::MOUNT_ATTR_NOEXEC;
    }
    let laid = || {
        let context = fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        // Marks in attributes that an ordinary user may set.
        fsconfig_set_flag(&context, c"userxattr")?;
        fsconfig_set_string(&context, c"lowerdir", by_descriptor(&lower))?;
        fsconfig_set_string(&context, c"upperdir", by_descriptor(&upper))?;
        fsconfig_set_string(&context, c"workdir", by_descriptor(&work))?;
        fsconfig_create(&context)?;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags)
    };
    laid().map_err(|errno| Error::Path {
        attempt: "lay an overlay (this needs Linux 5.11, a state folder on a file system with user attributes that is no overlay itself, and no mount inside) over"
            .into(),
        path: overlay.target.clone(),
        source: errno.into(),
    })
}
