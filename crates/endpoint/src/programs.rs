//! Which programs a session may run: what the policy lists, as it stands on this machine.

use crate::layout::Folders;
use crate::{Error, Program, SessionSpec, program};
use policy::AllowedProgram;
use sandbox::{FileIdentity, ListedProgram, Programs};
use schema::Token;
use std::path::{Path, PathBuf};

/// Where dynamic loaders stand (System V ABI of each architecture, musl): the kernel may load them for a listed program, nobody may run them.
const LOADERS: [&str; 6] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux.so.2",
    "/libx32/ld-linux-x32.so.2",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];

/// What the policy allows, with the digests that it names compared. `private` are the places inside that end with the session.
///
/// # Errors
/// [`Error::ProgramRefused`] if a listed file is not what its digest says, or the agent's own program is not listed.
pub(crate) fn resolve(spec: &SessionSpec, folders: &Folders, agent: &Program, private: &[PathBuf]) -> Result<Programs, Error> {
    let rules = &spec.policy.session().programs;
    let mut without_execution = Vec::new();
    if !rules.executes_workspace {
        without_execution.push(folders.workspace.clone());
        without_execution.extend(folders.documents.iter().chain(private).cloned());
    }
    let Some(allowed) = &rules.listed else {
        return Ok(Programs { observe: true, listed: None, loaders: Vec::new(), without_execution });
    };
    let mut listed = Vec::new();
    for one in allowed {
        listed.extend(list(one, agent)?);
    }
    let own = agent.file();
    if !listed.iter().any(|one| holds(one, own)) {
        return Err(refused(own, None, "agent_not_listed", "its policy does not list it; name it in [[session.programs.allowed]]"));
    }
    let loaders = LOADERS.iter().filter_map(|path| std::fs::canonicalize(path).ok()).collect();
    Ok(Programs { observe: true, listed: Some(listed), loaders, without_execution })
}

/// One line of the policy as files of this machine; none if nothing of it is there.
fn list(one: &AllowedProgram, agent: &Program) -> Result<Vec<ListedProgram>, Error> {
    match one {
        AllowedProgram::Path(path, None) => {
            Ok(std::fs::canonicalize(path).ok().map(|path| ListedProgram::File { path, identity: None }).into_iter().collect())
        }
        AllowedProgram::Path(path, Some(wanted)) => {
            let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            let (found, identity) = measure(&place);
            if found.as_ref() != Some(wanted) {
                return Err(refused(&place, found, "listed_digest", "it is not the file whose SHA-256 the policy lists"));
            }
            Ok(vec![ListedProgram::File { path: place, identity }])
        }
        AllowedProgram::Tree(tree) => Ok(std::fs::canonicalize(tree).ok().map(ListedProgram::Tree).into_iter().collect()),
        AllowedProgram::Digest(wanted) => {
            let measured = agent.files().iter().map(|file| (file, measure(file)));
            let same = measured.filter(|(_, (found, _))| found.as_ref() == Some(wanted));
            Ok(same.map(|(file, (_, identity))| ListedProgram::File { path: file.clone(), identity }).collect())
        }
    }
}

/// A file's SHA-256, and which file it was before and after it was read.
fn measure(path: &Path) -> (Option<Token>, Option<FileIdentity>) {
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|facts| program::identity_of(&facts));
    let before = identity(path);
    let found = std::fs::File::open(path).ok().and_then(program::sha256);
    if before.is_some() && before == identity(path) { (found, before) } else { (None, None) }
}

fn holds(one: &ListedProgram, path: &Path) -> bool {
    match one {
        ListedProgram::File { path: own, .. } => own == path,
        ListedProgram::Tree(tree) => path.starts_with(tree),
    }
}

/// A session that does not start because of a program.
pub(crate) fn refused(path: &Path, sha256: Option<Token>, reason: &'static str, why: &'static str) -> Error {
    Error::ProgramRefused { path: path.to_owned(), sha256, reason, why }
}

#[cfg(test)]
mod tests;
