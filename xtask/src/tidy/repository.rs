use super::source::Source;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Rooms whose own tree of dependencies has a budget.
pub(super) const BUDGETED: &[(&str, usize)] = &[("sandbox", 25), ("audit", 30)];

/// Everything that the rules look at, read once.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    /// Every text file that is tracked, or new and not ignored.
    pub(super) files: Vec<File>,
    /// The Rust files among them.
    pub(super) sources: Vec<Source>,
    /// Every package of the lock file.
    pub(super) packages: Vec<Package>,
    /// For each budgeted room, the packages that it needs to be built.
    pub(super) trees: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
}

/// A package as `cargo metadata` describes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) licence: Option<String>,
    /// None for a member of the workspace.
    pub(super) source: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) is_dev: bool,
}

/// Why the repository could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("could not run {0}: {1}; install it, then run this again")]
    Start(String, std::io::Error),
    #[error("{0} failed: {1}")]
    Failed(String, String),
    #[error("could not understand what {0} printed")]
    Output(&'static str),
    #[error("could not read {0} as Rust: {1}")]
    Source(String, String),
}

impl Repository {
    /// Reads the repository at `root`.
    ///
    /// # Errors
    /// When git or cargo cannot be asked, or a Rust file cannot be read as tokens.
    pub(crate) fn read(root: &Path) -> Result<Self, Error> {
        let list = run(root, "git", &["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        // A file that is not text, or was deleted and not yet committed, holds nothing that a rule reads.
        let files: Vec<File> = list
            .split('\0')
            .filter(|path| !path.is_empty())
            .filter_map(|path| Some(File { path: path.to_owned(), text: std::fs::read_to_string(root.join(path)).ok()? }))
            .collect();
        let mut repository = Self::of(files)?;
        repository.packages = packages(&run(root, "cargo", &["metadata", "--locked", "--format-version=1"])?)?;
        let members: Vec<&str> = repository.members().map(|package| package.name.as_str()).collect();
        let mut trees = BTreeMap::new();
        for (room, _) in BUDGETED.iter().filter(|(room, _)| members.contains(room)) {
            let tree = run(root, "cargo", &["tree", "--locked", "-p", room, "-e", "normal,build", "--prefix", "none", "-f", "{p}"])?;
            trees.insert((*room).to_owned(), external(&tree));
        }
        repository.trees = trees;
        Ok(repository)
    }

    /// A repository of these files, without packages.
    pub(super) fn of(files: Vec<File>) -> Result<Self, Error> {
        let is_rust = |file: &&File| Path::new(&file.path).extension().is_some_and(|extension| extension == "rs");
        let sources = files.iter().filter(is_rust).map(|file| Source::read(&file.path, &file.text)).collect::<Result<_, _>>()?;
        Ok(Self { files, sources, ..Self::default() })
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.source.is_none())
    }

    pub(super) fn file(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }
}

fn run(root: &Path, program: &str, arguments: &[&str]) -> Result<String, Error> {
    let shown = || format!("{program} {}", arguments.join(" "));
    let output = Command::new(program).args(arguments).current_dir(root).output().map_err(|error| Error::Start(shown(), error))?;
    if !output.status.success() {
        return Err(Error::Failed(shown(), String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    String::from_utf8(output.stdout).map_err(|_| Error::Failed(shown(), "its output is not UTF-8".to_owned()))
}

/// Packages in the output of `cargo metadata`.
pub(super) fn packages(metadata: &str) -> Result<Vec<Package>, Error> {
    let not_understood = || Error::Output("cargo metadata");
    let value: Value = serde_json::from_str(metadata).map_err(|_| not_understood())?;
    let list = value.pointer("/packages").and_then(Value::as_array).ok_or_else(not_understood)?;
    list.iter().map(|package| read_package(package).ok_or_else(not_understood)).collect()
}

fn read_package(value: &Value) -> Option<Package> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let dependency = |entry: &Value| {
        let name = entry.get("name")?.as_str()?.to_owned();
        Some(Dependency { name, is_dev: entry.get("kind")?.as_str() == Some("dev") })
    };
    Some(Package {
        name: text("name")?,
        version: text("version")?,
        licence: text("license"),
        source: text("source"),
        dependencies: value.get("dependencies")?.as_array()?.iter().map(dependency).collect::<Option<_>>()?,
    })
}

/// Packages of a tree that are not members of the workspace: those are printed with the folder they are in.
fn external(tree: &str) -> BTreeSet<String> {
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)").trim_end_matches(" (proc-macro)"));
    lines.filter(|line| !line.is_empty() && !line.contains(" (/")).map(str::to_owned).collect()
}
