use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A user's folders: state, workspace and documents of their own.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = std::fs::canonicalize(folder.path()).unwrap();
        for name in ["state", "workspace", "documents", "elsewhere"] {
            std::fs::create_dir(path.join(name)).unwrap();
        }
        Self { folder, path }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        assert!(self.folder.path().exists());
        self.path.join(name)
    }

    /// The command with this user's state.
    pub(crate) fn bailiwick(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command
            .args(args)
            .env("XDG_STATE_HOME", self.path("state"))
            .env_remove("BAILIWICK_MODEL")
            .env("XDG_DATA_HOME", self.path("elsewhere"));
        command.current_dir(self.path("workspace")).stdin(std::process::Stdio::null());
        command
    }

    /// A session with `options` that runs a shell script.
    pub(crate) fn session(&self, options: &[&str], script: &str) -> Command {
        let documents = self.path("documents");
        let mut command = self.bailiwick(&["run", "--docs", documents.to_str().unwrap()]);
        command.args(options).args(["--", "/bin/sh", "-c", script]);
        command
    }

    /// The same, run to its end.
    pub(crate) fn run(&self, options: &[&str], script: &str) -> Output {
        self.session(options, script).output().unwrap()
    }

    /// The newest session's acts, as the joined view shows them.
    pub(crate) fn acts(&self) -> Vec<Value> {
        let output = self.bailiwick(&["evidence", "show"]).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Those of one kind.
    pub(crate) fn acts_of(&self, action: &str) -> Vec<Value> {
        self.acts().into_iter().filter(|act| act["action"] == action).collect()
    }

    /// The events of the only session, in order.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let log = std::fs::read_to_string(self.log().join("log.jsonl")).unwrap();
        let entries = log.lines().filter(|line| line.starts_with("{\"time\":"));
        entries.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].clone()).collect()
    }

    /// Whether all of this user's evidence verifies.
    pub(crate) fn verifies(&self) -> bool {
        self.bailiwick(&["evidence", "verify"]).output().unwrap().status.success()
    }

    /// The folder of the only session's log.
    pub(crate) fn log(&self) -> PathBuf {
        let logs = self.path("state").join("bailiwick/evidence");
        let mut found: Vec<_> = std::fs::read_dir(logs).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(found.len(), 1);
        found.pop().unwrap()
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Processes of the host with this argument.
pub(crate) fn with_argument(argument: &str) -> usize {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    let has =
        |path: &Path| std::fs::read(path.join("cmdline")).is_ok_and(|line| line.split(|b| *b == 0).any(|one| one == argument.as_bytes()));
    folders.filter(|entry| has(&entry.path())).count()
}
