use super::documents;
use crate::cli::DemoArgs;
use crate::exit::{Failure, UNREADABLE};
use crate::settings::Settings;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The demo's own folder, with everything that it makes.
pub(super) struct Place {
    root: PathBuf,
}

impl Place {
    /// A new folder where `--keep` says, or this user's demo folder, made anew.
    pub(super) fn make(args: &DemoArgs, settings: &Settings) -> Result<Self, Failure> {
        let root = args.keep.clone().unwrap_or_else(|| settings.directories.state.join("demo"));
        let wrong = |attempt: &str, path: &Path, error: std::io::Error| {
            Failure::new(UNREADABLE, format_args!("cannot {attempt} {}: {error}", path.display()))
        };
        if args.keep.is_none() && root.exists() {
            fs::remove_dir_all(&root).map_err(|error| wrong("clear", &root, error))?;
        }
        DirBuilder::new()
            .recursive(args.keep.is_none())
            .mode(0o700)
            .create(&root)
            .map_err(|error| wrong("make the new folder", &root, error))?;
        let root = fs::canonicalize(&root).map_err(|error| wrong("find", &root, error))?;
        let place = Self { root };
        for folder in [place.documents(), place.workspace(), place.home(), place.home().join(".ssh"), place.state()] {
            fs::create_dir(&folder).map_err(|error| wrong("make", &folder, error))?;
        }
        documents::write(&place.documents()).map_err(|error| wrong("write into", &place.documents(), error))?;
        for (path, text) in [(place.key(), "a synthetic key\n"), (place.shell_start(), "# untouched\n")] {
            fs::write(&path, text).map_err(|error| wrong("write", &path, error))?;
        }
        Ok(place)
    }

    /// The client's papers: read-only for the agent.
    pub(super) fn documents(&self) -> PathBuf {
        self.root.join("documents")
    }

    /// What the agent may write.
    pub(super) fn workspace(&self) -> PathBuf {
        self.root.join("workspace")
    }

    /// A home folder with a key, for the attacker to want.
    pub(super) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The key in it.
    pub(super) fn key(&self) -> PathBuf {
        self.home().join(".ssh/id_ed25519")
    }

    /// A file in it that runs whatever is written there.
    pub(super) fn shell_start(&self) -> PathBuf {
        self.home().join(".bashrc")
    }

    /// Where the demo's evidence is kept (`XDG_STATE_HOME` of its sessions).
    pub(super) fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// The demo's logs.
    pub(super) fn evidence(&self) -> PathBuf {
        self.state().join("bailiwick/evidence")
    }

    /// The log of the gateway beside the sessions.
    pub(super) fn gateway_log(&self) -> PathBuf {
        self.state().join("gateway-log")
    }

    /// The configuration of that gateway.
    pub(super) fn gateway_config(&self) -> PathBuf {
        self.root.join("gateway.toml")
    }

    /// Its keys.
    pub(super) fn gateway_keys(&self) -> PathBuf {
        self.state().join("gateway-keys")
    }

    /// The folder itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}
