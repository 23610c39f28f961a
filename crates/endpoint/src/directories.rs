use crate::Error;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where a user's evidence and keys are kept. Nothing of it stands inside a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directories {
    /// The folder of everything below (`$XDG_STATE_HOME/bailiwick`, mode 0700).
    pub state: PathBuf,
}

impl Directories {
    /// The signing key and the digest key.
    pub fn keys(&self) -> PathBuf {
        self.state.join("keys")
    }

    /// One folder for each session's log.
    pub fn evidence(&self) -> PathBuf {
        self.state.join("evidence")
    }

    /// Workspaces as they were before sessions, and what staged sessions wrote.
    pub fn snapshots(&self) -> PathBuf {
        self.state.join("snapshots")
    }

    /// Which workspaces are in use.
    pub(crate) fn workspaces(&self) -> PathBuf {
        self.state.join("workspaces")
    }

    /// Sockets of running sessions.
    pub fn sockets(&self) -> PathBuf {
        self.state.join("sockets")
    }

    /// Makes the folder for everything, readable by its owner only.
    pub(crate) fn make(&self) -> Result<(), Error> {
        for folder in [&self.state, &self.evidence(), &self.sockets()] {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| Error::Path {
                what: "a place for its evidence:",
                path: folder.clone(),
                reason: format!("{error}; check who owns it, or set XDG_STATE_HOME"),
            })?;
        }
        Ok(())
    }

    /// Refuses to show a session anything that holds the keys or the evidence.
    pub(crate) fn refuse_inside(&self, what: &'static str, path: &Path) -> Result<(), Error> {
        let state = std::fs::canonicalize(&self.state).unwrap_or_else(|_| self.state.clone());
        if state.starts_with(path) || path.starts_with(&state) {
            let reason = "it holds Bailiwick's own keys and evidence; give a folder of your project instead".to_owned();
            return Err(Error::Path { what, path: path.to_owned(), reason });
        }
        Ok(())
    }
}
