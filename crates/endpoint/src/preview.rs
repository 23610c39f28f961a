use crate::layout::{self, Folders};
use crate::{Error, Program, SessionSpec};
use schema::{SessionId, Trust};
use std::fmt;
use std::path::PathBuf;

/// What a session would be given. Nothing has been started and nothing written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    program: PathBuf,
    profile: String,
    workspace: PathBuf,
    documents: Vec<PathBuf>,
    programs: Vec<PathBuf>,
    upstreams: Vec<String>,
    variables: Vec<String>,
}

/// Decides and resolves everything that [`crate::run`] would before its first process.
///
/// # Errors
/// As [`crate::run`], as far as it can be told without starting anything.
pub fn preview(spec: &SessionSpec) -> Result<Preview, Error> {
    let name = spec.command.first().ok_or(Error::NoProgram)?;
    let program = Program::find(name, &spec.search_path)?;
    policy::decide_session(&spec.policy, Trust::SelfKept, spec.purpose.as_ref()).map_err(Error::Refused)?;
    let folders = Folders::resolve(spec, &program)?;
    let session_id = SessionId::from_random([0; 16]);
    let upstreams = spec.policy.upstreams().iter().map(|upstream| {
        let region = upstream.region().map_or_else(String::new, |region| format!(" in {region}"));
        let place = if upstream.url().is_empty() { String::new() } else { format!(" at {}", upstream.url()) };
        format!("{}: {}{place}{region} ({})", upstream.name(), upstream.kind().name(), upstream.boundary().name())
    });
    let variables = layout::environment(spec, &program, &session_id).into_iter().map(|(name, _)| name.to_string_lossy().into_owned());
    Ok(Preview {
        profile: spec.policy.profile().to_string(),
        workspace: folders.workspace,
        documents: folders.documents,
        programs: folders.programs.into_iter().collect(),
        upstreams: upstreams.collect(),
        variables: variables.collect(),
        program: program.path,
    })
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = |list: &[PathBuf]| list.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        writeln!(f, "This session would be given (profile `{}`, nothing was started):", self.profile)?;
        writeln!(f, "  program     {}", self.program.display())?;
        writeln!(f, "  read-write  {}", self.workspace.display())?;
        for (label, list) in
            [("read-only", paths(&self.documents)), ("programs", paths(&self.programs)), ("upstream", self.upstreams.clone())]
        {
            for item in list {
                writeln!(f, "  {label:10}  {item}")?;
            }
        }
        if self.upstreams.is_empty() {
            writeln!(f, "  no upstream: every call to a model is refused; name one with --upstream")?;
        }
        writeln!(f, "  variables   {}", self.variables.join(" "))
    }
}
