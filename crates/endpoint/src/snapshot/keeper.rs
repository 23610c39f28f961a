//! Keeps the workspace's state for one session, from before its first process to after its last.

use super::Error;
use super::desk::{clear_stage, method};
use super::manifest::Manifest;
use super::objects::private_folder;
use super::store::{Facts, Hold, Kept, Scene, Store};
use super::take::{Bounds, Wish, take};
use super::tree::{Tree, set_mode};
use crate::SessionSpec;
use crate::session::SessionClock;
use sandbox::Overlay;
use schema::event::WorkspaceSnapshotted;
use schema::{Subject, Timestamp, Token};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// The lowest priority (setpriority(2)).
const LEAST_URGENT: i32 = 19;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What is kept of a session's workspace. Dropped before the session is on record, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Keeper {
    store: Store,
    folder: PathBuf,
    workspace: PathBuf,
    stage: bool,
    share: Option<Hold>,
    kept: Option<(Kept, Hold, Manifest)>,
    is_on_record: bool,
    retiring: Option<JoinHandle<Result<(), Error>>>,
}

impl Keeper {
    /// Makes room, before the first process: of a staged session, the folders that it writes into.
    pub(crate) fn prepare(spec: &SessionSpec, workspace: &Path, subject: &Subject) -> Result<Self, Error> {
        let store = Store::new(spec.directories.snapshots());
        let folder = store.state_folder(&subject.session_id);
        let share = if spec.stage || !spec.policy.session().snapshot.danger_none { Some(store.share()?) } else { None };
        let keeper = Self {
            store,
            folder,
            workspace: workspace.to_owned(),
            stage: spec.stage,
            share,
            kept: None,
            is_on_record: false,
            retiring: None,
        };
        if spec.stage {
            for name in ["upper", "work"] {
                let folder = keeper.folder.join(name);
                private_folder(&folder).map_err(Error::io("make", &folder))?;
            }
            // Inside, the workspace has the upper folder's mode.
            let own = Tree::open(workspace)?.entry(Path::new(""))?.map_or(0o700, |entry| entry.mode);
            let upper = keeper.folder.join("upper");
            let tree = Tree::open(&upper)?;
            set_mode(tree.folder(Path::new(""))?.as_fd(), own).map_err(Error::errno("set the mode of", &upper))?;
        }
        Ok(keeper)
    }

    /// Where a staged session writes.
    pub(crate) fn overlays(&self) -> Vec<Overlay> {
        let overlay = || Overlay { target: self.workspace.clone(), upper: self.folder.join("upper"), work: self.folder.join("work") };
        if self.stage { vec![overlay()] } else { Vec::new() }
    }

    /// The folder of the host that the session's files grow in.
    pub(crate) fn written(&self) -> PathBuf {
        if self.stage { self.folder.join("upper") } else { self.workspace.clone() }
    }

    /// Keeps the state; the result goes into the session's first records.
    pub(crate) fn keep(&mut self, spec: &SessionSpec, subject: &Subject, clock: &SessionClock) -> Result<WorkspaceSnapshotted, Error> {
        let rules = &spec.policy.session().snapshot;
        let session_id = subject.session_id.clone();
        if rules.danger_none && !self.stage {
            return Ok(WorkspaceSnapshotted { session_id, method: Token::lossy("none"), files: 0, bytes: 0, manifest_digest: None });
        }
        let taken_at = clock.now();
        let tree = Tree::open(&self.workspace)?;
        let known = if self.stage { Manifest::default() } else { self.store.latest(&self.workspace) };
        let bounds = Bounds { entries_max: rules.files_max, bytes_max: rules.bytes_max };
        let wish = Wish { known: &known, is_wanted: &|_| !self.stage, bounds };
        let taken = take(&tree, &self.store.objects, &wish, &mut |done, all| (spec.progress)(done, all)).map_err(refusal)?;
        super::twins::refuse(&taken.manifest, &spec.policy.session().files)?;
        let (files, bytes) = taken.manifest.kept();
        let facts = Facts {
            scene: if self.stage { Scene::Staged } else { Scene::Live },
            workspace: self.workspace.clone(),
            session_id: session_id.clone(),
            taken: taken_at,
            agent_id: subject.agent_id.clone(),
            method: if self.stage { Token::lossy("overlay") } else { method(&taken) },
            files,
            bytes,
            manifest: taken.digest,
        };
        let method = facts.method.clone();
        let (kept, hold) = self.store.create(session_id.clone(), facts)?;
        if !self.stage {
            self.store.set_latest(&kept)?;
        }
        self.share = None;
        self.kept = Some((kept, hold, taken.manifest));
        Ok(WorkspaceSnapshotted { session_id, method, files, bytes, manifest_digest: Some(Token::lossy(&taken.digest.hex())) })
    }

    /// The session is on record: what is kept stays. Old states are taken away beside it. Starts a thread.
    pub(crate) fn on_record(&mut self, spec: &SessionSpec, now: Timestamp) {
        self.is_on_record = true;
        let rules = &spec.policy.session().snapshot;
        let oldest = Timestamp { unix_ms: now.unix_ms.saturating_sub(rules.keep_days_max * DAY_MS) };
        let count_max = usize::try_from(rules.keep_sessions_max).unwrap_or(usize::MAX);
        let store = Store::new(spec.directories.snapshots());
        let name = std::thread::Builder::new().name("old states".to_owned());
        // Without a thread, the next session sees to it.
        let retiring = name.spawn(move || {
            // Everybody else has more urgent things to do.
            let _as_urgent = rustix::process::setpriority_process(None, LEAST_URGENT);
            store.retire(oldest, count_max)
        });
        self.retiring = retiring.ok();
    }

    /// Notes how the session left the workspace, so that later changes of others can be told.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        // Old states first: nothing is taken away while someone adds content, as what follows does. A thread that panicked has taken
        // nothing away.
        let retired = self.retiring.take().and_then(|retiring| retiring.join().ok()).unwrap_or(Ok(()));
        if let Some((kept, hold, manifest)) = self.kept.take() {
            if !self.stage {
                let share = self.store.share()?;
                let tree = Tree::open_for_repair(&self.workspace)?;
                let after = super::desk::take_now(&tree, &self.store, &manifest, &|_| false)?;
                kept.set_end(after.digest)?;
                drop(share);
            }
            drop(hold);
        }
        retired
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if self.is_on_record {
            return;
        }
        // What cannot be taken away now is taken away with the next collection.
        if let Some((kept, _, _)) = &self.kept {
            let _left = clear_stage(kept);
        }
        let _left = std::fs::remove_dir_all(&self.folder);
    }
}

/// Tells what to do where a session is refused.
fn refusal(error: Error) -> Error {
    match error {
        Error::Io { attempt, path, source } => Error::NotKept {
            reason: format!(
                "cannot {attempt} {} ({source}): make it readable, choose another workspace, or use --stage",
                super::shown(&path)
            ),
        },
        Error::TooMuch { path, what } => Error::NotKept {
            reason: format!(
                "{} holds {what} than `session.snapshot.files_max` allows: choose a smaller workspace, or raise the key",
                super::shown(&path)
            ),
        },
        other @ (Error::NotKept { .. }
        | Error::Unknown { .. }
        | Error::InUse { .. }
        | Error::Damaged { .. }
        | Error::Conflict { .. }
        | Error::Nothing { .. }
        | Error::Claim(_)
        | Error::SecondName { .. }
        | Error::Evidence(_)) => other,
    }
}
