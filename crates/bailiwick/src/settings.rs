//! Everything that the command takes from its environment, read once, here.

use endpoint::{Account, Directories, ModelCommand};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Variables that say how a terminal and texts look; all that a session inherits.
const LOCALE: [&str; 8] = ["TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "NO_COLOR"];
/// The small local model, as `scripts/fetch-model` names it.
const MODEL_FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// The caller's environment.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// On whose behalf.
    pub(crate) account: Account,
    /// The home folder that the environment names.
    pub(crate) home: Option<PathBuf>,
    /// Where evidence and keys are kept.
    pub(crate) directories: Directories,
    /// Where programs are looked for.
    pub(crate) search_path: OsString,
    /// How the terminal and texts look.
    pub(crate) locale: Vec<(OsString, OsString)>,
    /// Where the small model is, if it has been fetched.
    pub(crate) model: Option<PathBuf>,
    /// How a model file is served.
    pub(crate) model_command: ModelCommand,
    environment: BTreeMap<OsString, OsString>,
}

impl Settings {
    /// Reads the environment.
    pub(crate) fn from_environment() -> Self {
        Self::new(std::env::vars_os().collect(), std::env::current_exe().unwrap_or_default())
    }

    fn new(environment: BTreeMap<OsString, OsString>, program: PathBuf) -> Self {
        let account = Account::current();
        let of = |name: &str| environment.get(&OsString::from(name)).filter(|value| !value.is_empty()).cloned();
        let named_home = of("HOME").map(PathBuf::from);
        let home = named_home.clone().or_else(|| account.home.clone()).unwrap_or_else(|| PathBuf::from("/"));
        let folder = |name: &str, usual: &str| {
            // The specification: a relative path is to be ignored.
            of(name).map(PathBuf::from).filter(|path| path.is_absolute()).unwrap_or_else(|| home.join(usual)).join("bailiwick")
        };
        let model = of("BAILIWICK_MODEL").map(PathBuf::from);
        let model = model.unwrap_or_else(|| folder("XDG_DATA_HOME", ".local/share").join("models").join(MODEL_FILE));
        Self {
            directories: Directories { state: folder("XDG_STATE_HOME", ".local/state") },
            search_path: of("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
            locale: LOCALE.iter().filter_map(|name| Some((OsString::from(name), of(name)?))).collect(),
            model: model.is_file().then_some(model),
            model_command: ModelCommand { program, arguments: vec!["serve-model".into()], environment: model_environment() },
            account,
            home: named_home,
            environment,
        }
    }

    /// One variable, as it was when the command started.
    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        self.environment.get(&OsString::from(name)).cloned()
    }
}

/// One thread computes: more wait for each other by spinning, which is slower on a machine that does other work too.
#[cfg(feature = "local-model")]
fn model_environment() -> Vec<(OsString, OsString)> {
    model::environment(1).into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

#[cfg(not(feature = "local-model"))]
fn model_environment() -> Vec<(OsString, OsString)> {
    Vec::new()
}

#[cfg(test)]
mod tests;
