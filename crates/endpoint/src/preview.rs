use crate::layout::{self, Folders};
use crate::limit::Limit;
use crate::session::subject;
use crate::{Error, Program, SessionSpec, admission};
use policy::{AllowedProgram, ProgramRules};
use schema::{Subject, Trust};
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;

/// The key of the one bound that a session is not told of when it comes to it: the kernel refuses one more.
const OPEN_FILES: &str = "open_files_max";

/// What a session would be given. Nothing has been started and nothing written.
#[derive(Clone, Debug)]
pub struct Preview {
    program: PathBuf,
    /// As it would stand in events, measured.
    subject: Subject,
    profile: String,
    workspace: PathBuf,
    documents: Vec<PathBuf>,
    programs: Vec<PathBuf>,
    upstreams: Vec<String>,
    variables: Vec<String>,
    stage: bool,
    rules: policy::SessionRules,
    warnings: Vec<&'static str>,
}

/// Decides and resolves everything that [`crate::run`] would before its first process.
///
/// # Errors
/// As [`crate::run`], as far as it can be told without starting anything. A refused program is not put on record.
pub fn preview(spec: &SessionSpec) -> Result<Preview, Error> {
    let name = spec.command.first().ok_or(Error::NoProgram)?;
    let program = Program::find(name, &spec.search_path)?;
    policy::decide_session(&spec.policy, Trust::SelfKept, spec.purpose.as_ref()).map_err(Error::Refused)?;
    let folders = Folders::resolve(spec, &program)?;
    let mut subject = subject(spec, &program)?;
    let admitted = admission::decide(spec, &folders, &program, &subject)?;
    subject.runtime_digest = admitted.measured.unwrap_or_else(|| program.measure()).sha256;
    let upstreams = spec.policy.upstreams().iter().map(|upstream| {
        let region = upstream.region().map_or_else(String::new, |region| format!(" in {region}"));
        let place = if upstream.url().is_empty() { String::new() } else { format!(" at {}", upstream.url()) };
        format!("{}: {}{place}{region} ({})", upstream.name(), upstream.kind().name(), upstream.boundary().name())
    });
    let variables =
        layout::environment(spec, &program, &subject.session_id).into_iter().map(|(name, _)| name.to_string_lossy().into_owned());
    Ok(Preview {
        profile: spec.policy.profile().to_string(),
        workspace: folders.workspace,
        documents: folders.documents,
        programs: folders.programs.into_iter().collect(),
        upstreams: upstreams.collect(),
        variables: variables.collect(),
        program: program.path,
        subject,
        stage: spec.stage,
        rules: spec.policy.session().clone(),
        warnings: spec.policy.warnings(),
    })
}

impl Preview {
    /// The same for machines.
    pub fn json(&self) -> Value {
        let text = |path: &PathBuf| path.display().to_string();
        let (rules, snapshot) = (&self.rules, &self.rules.snapshot);
        let limits = |table: &str| {
            let own = Limit::ALL.into_iter().filter(|limit| limit.key().0 == table);
            own.map(|limit| (limit.key().1.to_owned(), Value::from(limit.bound(rules)))).collect::<serde_json::Map<_, _>>()
        };
        let mut bounds = limits("session.limits");
        bounds.insert(OPEN_FILES.to_owned(), rules.limits.open_files_max.into());
        json!({
            "profile": self.profile,
            "program": text(&self.program),
            "agent": {
                "name": self.subject.agent_id,
                "version": self.subject.agent_version,
                "sha256": self.subject.runtime_digest,
                "pins": rules.agents.len(),
            },
            "workspace": text(&self.workspace),
            "documents": self.documents.iter().map(text).collect::<Vec<_>>(),
            "programs": self.programs.iter().map(text).collect::<Vec<_>>(),
            "upstreams": self.upstreams,
            "variables": self.variables,
            "program_rules": {
                "rule": rule(&rules.programs),
                "allowed": rules.programs.listed.as_ref().map(|list| list.iter().map(allowed).collect::<Vec<_>>()),
                "executes_workspace": rules.programs.executes_workspace,
                "debuggers": rules.programs.debuggers,
            },
            "probes": { "period_seconds": rules.probe_period_seconds },
            "snapshot": {
                "mode": self.snapshot(),
                "bytes_max": snapshot.bytes_max,
                "files_max": snapshot.files_max,
                "keep_days_max": snapshot.keep_days_max,
                "keep_sessions_max": snapshot.keep_sessions_max,
            },
            "limits": bounds,
            "private": limits("session.private"),
            "warnings": self.warnings,
        })
    }

    fn snapshot(&self) -> &'static str {
        if self.stage {
            "stage"
        } else if self.rules.snapshot.danger_none {
            "danger_none"
        } else {
            "keep"
        }
    }

    fn write_rules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rules, programs) = (&self.rules, &self.rules.programs);
        let count = programs.listed.as_ref().map_or_else(String::new, |list| format!(" ({} entries)", list.len()));
        let workspace = if programs.executes_workspace { "recorded" } else { "refused" };
        let debuggers = if programs.debuggers { "allowed" } else { "refused" };
        writeln!(f, "  may run     {}{count}; files of the workspace {workspace}; debuggers {debuggers}", rule(programs))?;
        writeln!(f, "  probes      at the start and every {} s", rules.probe_period_seconds)?;
        let snapshot = &rules.snapshot;
        let kept = format!("{} states for {} days", snapshot.keep_sessions_max, snapshot.keep_days_max);
        writeln!(f, "  snapshot    {}, at most {} bytes and {} files; {kept}", self.snapshot(), snapshot.bytes_max, snapshot.files_max)?;
        for limit in Limit::ALL {
            writeln!(f, "  limit       {} = {}", limit.key().1, limit.bound(rules))?;
        }
        writeln!(f, "  limit       {OPEN_FILES} = {}", rules.limits.open_files_max)?;
        self.warnings.iter().try_for_each(|warning| writeln!(f, "  warning     {warning}"))
    }
}

fn rule(rules: &ProgramRules) -> &'static str {
    if rules.listed.is_some() { "listed" } else { "any" }
}

fn allowed(one: &AllowedProgram) -> Value {
    match one {
        AllowedProgram::Path(path, sha256) => json!({ "path": path.display().to_string(), "sha256": sha256 }),
        AllowedProgram::Tree(tree) => json!({ "tree": tree.display().to_string() }),
        AllowedProgram::Digest(sha256) => json!({ "sha256": sha256 }),
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = |list: &[PathBuf]| list.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        writeln!(f, "This session would be given (profile `{}`, nothing was started):", self.profile)?;
        writeln!(f, "  program     {}", self.program.display())?;
        let subject = &self.subject;
        let or_unknown = |token: &Option<schema::Token>| token.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        let pins = match self.rules.agents.len() {
            0 => "none is pinned".to_owned(),
            count => format!("one of {count} pins"),
        };
        writeln!(f, "  agent       {}, version {}; {pins}", subject.agent_id, or_unknown(&subject.agent_version))?;
        writeln!(f, "  sha256      {}", or_unknown(&subject.runtime_digest))?;
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
        writeln!(f, "  variables   {}", self.variables.join(" "))?;
        self.write_rules(f)
    }
}
