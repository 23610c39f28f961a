//! `[session.files]`: paths of the workspace that are not the agent's, and which ones these are where a policy does not say.

use crate::document::Presence::Default;
use crate::document::{Section, Shape};
use crate::keys::key;

/// A list of patterns, and how it is written in a policy.
macro_rules! patterns {
    ($(#[$doc:meta])* $list:ident, $text:ident = $first:literal, $($rest:literal,)*) => {
        $(#[$doc])*
        pub(crate) const $list: &[&str] = &[$first, $($rest,)*];
        const $text: &str = concat!("[\"", $first, "\"", $(", \"", $rest, "\"",)* "]");
    };
}

patterns! {
    /// What makes the user's own programs, outside of the walls, execute something.
    PROTECTED, PROTECTED_TEXT =
    // Git runs what stands in these, also in repositories below and in modules.
    "**/.git/hooks",
    "**/.git/config",
    "**/.git/config.worktree",
    "**/.git/modules/*/hooks",
    "**/.git/modules/*/config",
    "**/.git/modules/*/*/hooks",
    "**/.git/modules/*/*/config",
    // They send Git to another repository's settings.
    "**/.git/commondir",
    "**/.git/modules/*/commondir",
    "**/.git/worktrees/*/commondir",
    "**/.git/worktrees/*/config.worktree",
    // Where projects keep hooks that a repository's settings already lead to.
    ".husky",
    ".githooks",
    // Editors start tasks, debuggers and containers from these.
    ".vscode",
    "*.code-workspace",
    ".idea",
    ".zed",
    ".fleet",
    ".devcontainer",
    ".devcontainer.json",
    ".exrc",
    ".nvimrc",
    ".nvim.lua",
    ".dir-locals.el",
    // Other agents, outside of these walls, take commands, servers and permissions from these.
    ".claude/settings*.json",
    ".claude/hooks",
    ".claude/commands",
    ".cursor",
    ".codex",
    ".gemini",
    ".windsurf",
    ".opencode",
    ".mcp.json",
    ".aider.conf.yml",
    // Shells read these when they start or enter a folder.
    "**/.envrc",
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
}

patterns! {
    /// What holds secrets in the workspace.
    MASKED, MASKED_TEXT =
    // Passwords and keys of services, as programs read them at their start. (`.env.example` is none of them.)
    "**/.env",
    "**/.env.local",
    "**/.env.development",
    "**/.env.test",
    "**/.env.staging",
    "**/.env.production",
    "**/.env.*.local",
    // Private keys by the names that OpenSSH gives them.
    "**/id_rsa",
    "**/id_dsa",
    "**/id_ecdsa",
    "**/id_ed25519",
}

/// The table's keys.
pub(crate) static FILES: Section = Section {
    summary: "Paths of the workspace that are not the agent's, whether they are there at the session's start or not. A pattern is a path from the \
        workspace; `**/` at its beginning means in whatever folder, `*` any characters of one name. Names are compared without case, and without what \
        some file systems leave out. What a pattern names is guarded with all that lies below it, against links, renamed folders and descriptors too; \
        a folder on the way to it may be made, but nothing that brings the rest along. A list of your own replaces the default.",
    keys: &[
        key(
            "protected",
            Shape::List(&Shape::Pattern),
            Default(PROTECTED_TEXT),
            "[\"**/.git/hooks\", \".vscode\"]",
            "May be read; they are not made, written, renamed, linked or removed, and their attributes stay.",
        ),
        key(
            "hidden",
            Shape::List(&Shape::Pattern),
            Default("[]"),
            "[\"docs/board\"]",
            "Are not shown: what exists is covered by something empty, and nothing is made there. Patterns with `*` are looked for at the session's \
                start, in at most 100,000 files and folders.",
        ),
        key(
            "masked",
            Shape::List(&Shape::Pattern),
            Default(MASKED_TEXT),
            "[\"**/.env\", \"**/*.key\"]",
            "Are read without their values: of settings such as `.env` the names are kept, any other file says in one line that it is masked. They \
                are not made, written, renamed, linked or removed. A file of more than 1 MiB is not opened.",
        ),
    ],
};
