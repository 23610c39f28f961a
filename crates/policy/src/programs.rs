//! Which programs a session may run, and which agents it may start.

use crate::document::Presence::{Default, Optional};
use crate::document::{Section, Shape, Table};
use crate::keys::key;
use schema::Token;
use std::path::PathBuf;

/// Hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// Which programs a session may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramRules {
    /// Whether the policy says which, instead of leaving it to the default.
    pub is_stated: bool,
    /// The only programs that may run; none: whatever the session can reach.
    pub listed: Option<Vec<AllowedProgram>>,
    /// Whether files of the workspace, the documents and the private areas may be executed.
    pub executes_workspace: bool,
    /// Whether the agent's programs may trace each other.
    pub debuggers: bool,
}

/// A program, or several, that may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedProgram {
    /// This file, as long as it has the digest if there is one.
    Path(PathBuf, Option<Token>),
    /// Every file below this folder.
    Tree(PathBuf),
    /// The agent's own program or one of its interpreters, wherever it is installed.
    Digest(Token),
}

/// An agent that may be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPin {
    /// Its program's name.
    pub name: Option<Token>,
    /// SHA-256 of its program file.
    pub sha256: Option<Token>,
    /// Its version.
    pub version: Option<Token>,
}

/// What is known of an agent before it starts.
#[derive(Clone, Copy, Debug)]
pub struct AgentFacts<'a> {
    /// Its program's name.
    pub name: &'a Token,
    /// SHA-256 of its program file, if it could be read.
    pub sha256: Option<&'a Token>,
    /// Its version; `unknown` if nothing tells it.
    pub version: &'a Token,
}

pub(crate) static PROGRAMS: Section = Section {
    summary: "Which programs may run. Every one that runs is on record, whatever stands here.",
    keys: &[
        key(
            "rule",
            Shape::OneOf(&["any", "listed"]),
            Default("\"any\""),
            "\"listed\"",
            "`any`: whatever the session can reach. `listed`: only what `[[session.programs.allowed]]` names, the agent's own program included; interpreters are programs like others, and the dynamic loader is none. A policy that says neither means `any`, and is warned of by `policy check` and at each start.",
        ),
        key(
            "workspace",
            Shape::OneOf(&["recorded", "refused"]),
            Default("\"recorded\""),
            "\"refused\"",
            "Whether files of the workspace, the documents and the private areas may be executed, or mapped as code: builds need it.",
        ),
        key(
            "debuggers",
            Shape::Boolean,
            Default("false"),
            "true",
            "Whether the agent's programs may trace each other (`gdb`, `strace`). What a traced program executes is on record, but not confirmed; with `rule = \"listed\"` it executes nothing, since nobody could hold it to the list.",
        ),
        key("allowed", Shape::Tables { section: &ALLOWED, unique: "path" }, Optional("nothing is listed"), "", ""),
    ],
};

static ALLOWED: Section = Section {
    summary: "A program that may run: a `path` or a `tree`, or a `sha256` alone. A path that is not there lists nothing, unless it has a digest: then the session is refused.",
    keys: &[
        key(
            "path",
            Shape::Path,
            Optional("`tree` or `sha256` is there"),
            "\"/usr/bin/git\"",
            "A file; links are followed when the session starts.",
        ),
        key("tree", Shape::Path, Optional("`path` or `sha256` is there"), "\"/usr/lib/git-core\"", "A folder with everything below it."),
        key(
            "sha256",
            Shape::Text,
            Optional("not pinned"),
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
            "With `path`: the file's SHA-256; another file there refuses the session. Alone: the agent's own program or one of its interpreters, wherever it is installed.",
        ),
    ],
};

pub(crate) static AGENT: Section = Section {
    summary: "An agent that may be started. If there is one of these, an agent that none of them describes is refused before it starts, which is on record.",
    keys: &[
        key("name", Shape::Name, Optional("any name"), "\"claude\"", "The program's name."),
        key(
            "sha256",
            Shape::Text,
            Optional("any file"),
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
            "SHA-256 of the program's file.",
        ),
        key(
            "version",
            Shape::Name,
            Optional("any version"),
            "\"1.0.42\"",
            "Its version by the package metadata beside the program (npm, Python, pipx, cargo; of Debian, a package of the program's own name); `unknown` if there is none.",
        ),
    ],
};

/// Reads `[session.programs]`.
pub(crate) fn rules(table: &Table<'_>) -> ProgramRules {
    let is = |name: &str, word: &str| table.text(name) == Some(word);
    // Read whatever the rule is, so that what is wrong in them is told.
    let tables = table.tables("allowed");
    let list: Vec<_> = tables.iter().filter_map(allowed).collect();
    if !tables.is_empty() && (!table.has("rule") || is("rule", "any")) {
        table.complain(
            "rule",
            "programs are listed, but any program may run: write rule = \"listed\", or take [[session.programs.allowed]] out",
        );
    }
    let listed = is("rule", "listed").then_some(list);
    ProgramRules {
        is_stated: table.has("rule"),
        listed,
        executes_workspace: !is("workspace", "refused"),
        debuggers: table.boolean("debuggers").unwrap_or(false),
    }
}

fn allowed(table: &Table<'_>) -> Option<AllowedProgram> {
    let sha256 = digest(table);
    match (table.text("path"), table.text("tree"), table.has("sha256")) {
        (Some(path), None, _) => Some(AllowedProgram::Path(PathBuf::from(path), sha256)),
        (None, Some(tree), false) => Some(AllowedProgram::Tree(PathBuf::from(tree))),
        (None, None, true) => sha256.map(AllowedProgram::Digest),
        _ => {
            table.complain("tree", "write a path (with or without sha256), or a tree, or a sha256 alone");
            None
        }
    }
}

/// Reads the tables `[[session.agents]]`.
pub(crate) fn agents(session: &Table<'_>) -> Vec<AgentPin> {
    let pin = |table: &Table<'_>| {
        let pin = AgentPin { name: table.name("name"), sha256: digest(table), version: table.name("version") };
        if !["name", "sha256", "version"].iter().any(|key| table.has(key)) {
            table.complain("name", "write at least one of name, sha256 and version: this describes every agent");
        }
        pin
    };
    session.tables("agents").iter().map(pin).collect()
}

fn digest(table: &Table<'_>) -> Option<Token> {
    let text = table.text("sha256")?;
    let is_digest = text.len() == DIGEST_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_digest {
        table.complain("sha256", "a SHA-256 has 64 hexadecimal digits, in lower case");
        return None;
    }
    Token::parse(text).ok()
}

impl AgentPin {
    /// Whether it describes this agent.
    pub(crate) fn describes(&self, facts: &AgentFacts<'_>) -> bool {
        let same = |pinned: &Option<Token>, found: Option<&Token>| pinned.as_ref().is_none_or(|pinned| Some(pinned) == found);
        same(&self.name, Some(facts.name)) && same(&self.sha256, facts.sha256) && same(&self.version, Some(facts.version))
    }
}
