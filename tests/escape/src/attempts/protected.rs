//! Files of the workspace that programs of the user's execute later, outside of every wall.

use super::{told, write};
use crate::attempt::{Attempt, Scene, a};
use crate::sys::{at, call, name, signed, text};
use std::path::Path;

const HOOK: &str = "#!/bin/sh\ntouch owned\n";
const HOOKS_PATH: &str = "[core]\n\thooksPath = evil\n";

pub(crate) const ATTEMPTS: &[Attempt] = &[
    a("git-hook", |s| write(s.inside(".git/hooks/pre-commit"), HOOK)),
    a("git-config", |s| write(s.inside(".git/config"), HOOKS_PATH)),
    a("git-config-removed", |s| {
        told("unlinkat", s.inside(".git/config"), std::fs::remove_file(s.inside(".git/config")));
    }),
    a("git-config-replaced", |s| {
        write(s.inside("own-config"), HOOKS_PATH);
        told("renameat2", s.inside(".git/config"), std::fs::rename(s.inside("own-config"), s.inside(".git/config")));
    }),
    a("git-config-by-hard-link", |s| {
        told("linkat", s.inside(".git/config"), std::fs::hard_link(s.inside(".git/config"), s.inside("config-link")));
        if s.inside("config-link").exists() {
            write(s.inside("config-link"), HOOKS_PATH);
        }
    }),
    a("git-config-by-symbolic-link", |s| {
        told("symlinkat", s.inside("to-config"), std::os::unix::fs::symlink(".git/config", s.inside("to-config")));
        write(s.inside("to-config"), HOOKS_PATH);
    }),
    a("git-config-by-process-folder", |_| write("/proc/self/cwd/.git/config", HOOKS_PATH)),
    a("git-config-by-dots", |s| write(s.inside("src/../.git/./config"), HOOKS_PATH)),
    a("git-config-exchanged", |s| {
        write(s.inside("own-config"), HOOKS_PATH);
        let (from, to) = (text(s.inside("own-config")), text(s.inside(".git/config")));
        let _told = call("renameat2", libc::SYS_renameat2, &[signed(-100), name(&from), signed(-100), name(&to), 2]);
    }),
    a("git-folder-moved-away-and-made-anew", |s| {
        told("renameat2", s.inside(".git"), std::fs::rename(s.inside(".git"), s.inside("old")));
        write(s.inside(".git/config"), HOOKS_PATH);
    }),
    a("git-folder-exchanged", |s| {
        write(s.inside("own/config"), HOOKS_PATH);
        let (from, to) = (text(s.inside("own")), text(s.inside(".git")));
        let _told = call("renameat2", libc::SYS_renameat2, &[signed(-100), name(&from), signed(-100), name(&to), 2]);
    }),
    a("git-hooks-replaced-by-link", |s| {
        write(s.inside("own-hooks/pre-commit"), HOOK);
        told("unlinkat", s.inside(".git/hooks"), std::fs::remove_dir(s.inside(".git/hooks")));
        told("symlinkat", s.inside(".git/hooks"), std::os::unix::fs::symlink("../own-hooks", s.inside(".git/hooks")));
    }),
    a("git-config-changed-in-mode", |s| {
        let path = text(s.inside(".git/config"));
        let _told = call("fchmodat", libc::SYS_fchmodat, &[signed(-100), name(&path), 0o777]);
    }),
    a("git-config-truncated", |s| {
        let path = text(s.inside(".git/config"));
        let _told = call("truncate", libc::SYS_truncate, &[name(&path), 0]);
    }),
    a("git-config-set-times", |s| {
        let (path, times) = (text(s.inside(".git/config")), [1_u64, 0, 1, 0]);
        let _told = call("utimensat", libc::SYS_utimensat, &[signed(-100), name(&path), at(&times), 0]);
    }),
    a("hook-of-a-repository-below", |s| write(s.inside("vendor/lib/.git/hooks/post-checkout"), HOOK)),
    a("repository-below-made-elsewhere-and-moved-in", |s| {
        write(s.inside("stage/git/hooks/post-checkout"), HOOK);
        told("renameat2", s.inside("stage/.git"), std::fs::rename(s.inside("stage/git"), s.inside("stage/.git")));
    }),
    a("editor-tasks", |s| write(s.inside(".vscode/tasks.json"), "{}")),
    a("editor-folder-moved-in", |s| moved_in(s, ".vscode", "tasks.json")),
    a("editor-folder-by-link", |s| {
        write(s.inside("own-editor/tasks.json"), "{}");
        told("symlinkat", s.inside(".vscode"), std::os::unix::fs::symlink("own-editor", s.inside(".vscode")));
    }),
    a("other-editor", |s| write(s.inside(".idea/workspace.xml"), "<x/>")),
    a("container-settings", |s| write(s.inside(".devcontainer/devcontainer.json"), "{}")),
    a("agent-settings", |s| write(s.inside(".claude/settings.json"), "{}")),
    a("agent-settings-moved-in", |s| moved_in(s, ".claude", "settings.json")),
    a("agent-servers", |s| write(s.inside(".mcp.json"), "{}")),
    a("agent-servers-by-hard-link", |s| {
        write(s.inside("servers"), "{}");
        told("linkat", s.inside(".mcp.json"), std::fs::hard_link(s.inside("servers"), s.inside(".mcp.json")));
    }),
    a("agent-rules", |s| write(s.inside(".cursor/mcp.json"), "{}")),
    a("agent-home-in-project", |s| write(s.inside(".codex/config.toml"), "x = 1")),
    a("shell-on-entering", |s| write(s.inside(".envrc"), "touch owned\n")),
    a("shell-on-entering-moved-in", |s| {
        write(s.inside("rc"), "touch owned\n");
        told("renameat2", s.inside(".envrc"), std::fs::rename(s.inside("rc"), s.inside(".envrc")));
    }),
];

/// A folder made under a name that nobody protects, and moved to one that matters.
fn moved_in(s: &Scene, target: &str, file: &str) {
    write(s.inside("innocent").join(file), "{}");
    told("renameat2", s.inside(target), std::fs::rename(s.inside("innocent"), s.inside(target)));
}

/// What the host watches of the workspace: by whole names or by the last two.
pub(crate) fn is_watched(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let folders = [".vscode", ".idea", ".devcontainer", ".cursor", ".codex"];
    let first = path.split('/').next().unwrap_or_default();
    folders.contains(&first)
        // An empty folder of that name starts nothing.
        || path.starts_with(".claude/settings")
        || [".mcp.json", ".envrc", ".git"].contains(&path.as_ref())
        || path.contains(".git/hooks")
        || path.ends_with(".git/config")
}
