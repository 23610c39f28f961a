//! What an attempt is, and the list of all.

use crate::attempts::{descriptors, files, kernel, limits, machine, network, others, processes, protected, writes};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// One try to get out. It is over when its function returns; what it reached is judged by others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Scene),
    /// Its effect shows only when the session is over, or it ends the session: it gets one of its own.
    pub(crate) is_alone: bool,
}

/// An attempt beside others.
pub(crate) const fn a(name: &'static str, run: fn(&Scene)) -> Attempt {
    Attempt { name, run, is_alone: false }
}

/// An attempt in a session of its own.
pub(crate) const fn alone(name: &'static str, run: fn(&Scene)) -> Attempt {
    Attempt { name, run, is_alone: true }
}

/// All attempts, by class.
pub(crate) const CLASSES: &[(&str, &[Attempt])] = &[
    ("files: reading", files::ATTEMPTS),
    ("files: changing", writes::ATTEMPTS),
    ("files: what others execute later", protected::ATTEMPTS),
    ("processes", processes::ATTEMPTS),
    ("other processes", others::ATTEMPTS),
    ("descriptors, environment, survivors", descriptors::ATTEMPTS),
    ("kernel", kernel::ATTEMPTS),
    ("machine", machine::ATTEMPTS),
    ("network", network::ATTEMPTS),
    ("limits", limits::ATTEMPTS),
];

/// Every attempt with its class, in order.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static Attempt)> {
    CLASSES.iter().flat_map(|(class, list)| list.iter().map(move |attempt| (*class, attempt)))
}

/// What an attempt is told about the host; no secret is in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Scene {
    /// The user's sham home.
    pub(crate) home: PathBuf,
    /// The folder that the agent may write.
    pub(crate) workspace: PathBuf,
    /// What the names of files in shared folders of the host start with.
    pub(crate) mark: String,
    /// A TCP service on every IPv4 address, one on the IPv6 loopback, a UDP service.
    pub(crate) tcp: u16,
    pub(crate) tcp6: u16,
    pub(crate) udp: u16,
    /// An address of the host that is not loopback, if it has one.
    pub(crate) address: Option<std::net::Ipv4Addr>,
    /// The name of an abstract Unix socket.
    pub(crate) abstract_name: String,
    /// A process of the user's, and where its secret lies in its memory.
    pub(crate) outsider: u32,
    pub(crate) outsider_secret: usize,
    pub(crate) outsider_descriptor: i32,
    /// Objects of System V, by key.
    pub(crate) key: i32,
}

impl Scene {
    pub(crate) fn home(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    pub(crate) fn inside(&self, name: &str) -> PathBuf {
        self.workspace.join(name)
    }

    /// A folder of the outsider in /proc.
    pub(crate) fn of_outsider(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.outsider.to_string()).join(name)
    }

    pub(crate) fn pid(&self) -> usize {
        usize::try_from(self.outsider).unwrap()
    }
}
