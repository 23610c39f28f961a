//! The probes of a running session.

use crate::{example, ordinary, text, until};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Fewest attempts of a session's first round.
const PROBES_MIN: usize = 42;

fn users() -> [Command; 2] {
    [Command::new(example("session")), ordinary(Command::new(example("session")))]
}

/// The first number of a line `probed N of M refused`.
fn counts(line: &str) -> Option<(usize, usize)> {
    let mut words = line.strip_prefix("probed ")?.split(' ');
    Some((words.next()?.parse().ok()?, words.nth(1)?.parse().ok()?))
}

#[test]
fn every_probe_is_refused_before_the_agent_starts() {
    for mut command in users() {
        let output = command.args(["verbose", "observe", "door", "--", "/bin/true"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let outcomes: Vec<(&str, &str)> = said.lines().filter_map(|line| line.strip_prefix("probe ")?.split_once(' ')).collect();
        assert!(outcomes.iter().all(|(_, outcome)| ["refused", "unused"].contains(outcome)), "{said}");
        assert!(outcomes.iter().filter(|(_, outcome)| *outcome == "refused").count() >= PROBES_MIN, "{said}");
        let names: BTreeSet<&str> = outcomes.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), outcomes.len(), "two probes of one name");
    }
}

/// The options of a session with a list of programs: a shell, and what the tests' scripts start.
pub(crate) fn listed_options() -> Vec<String> {
    let real = |path: &str| std::fs::canonicalize(path).unwrap().display().to_string();
    let loader = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].into_iter().find(|path| std::path::Path::new(path).exists());
    let listed = ["/bin/sh", "/bin/true", "/bin/cat"].map(|path| format!("listed={}", real(path)));
    [vec!["programs".to_owned(), format!("loader={}", real(loader.unwrap()))], listed.to_vec()].concat()
}

#[test]
fn programs_that_are_not_listed_are_tried_where_there_is_a_list() {
    let outcomes = |mut command: Command, options: &[String]| {
        let output = command.arg("verbose").args(options).args(["--", "/bin/true"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let of = |name: &str| said.lines().find_map(|line| line.strip_prefix(&format!("probe {name} "))).map(str::to_owned);
        [of("unlisted_program").unwrap(), of("program_loader").unwrap()]
    };
    for command in users() {
        assert_eq!(outcomes(command, &listed_options()), ["refused"; 2]);
    }
    for command in users() {
        assert_eq!(outcomes(command, &["programs".to_owned()]), ["unused"; 2], "whatever is there may run");
    }
    let mut with_loader = listed_options();
    with_loader.push(with_loader[1].replace("loader=", "listed="));
    for command in users() {
        assert_eq!(outcomes(command, &with_loader), ["refused", "unused"], "a loader that is listed may run");
    }
}

#[test]
fn the_attempts_on_the_list_of_programs_are_made_again_and_are_nobodys_doing() {
    for mut command in users() {
        let script = "i=0; while [ $i -lt 200 ]; do cat /dev/null; i=$((i+1)); done";
        let output = command.args(["reports", "period=20"]).args(listed_options()).args(["--", "/bin/sh", "-c", script]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let rounds: Vec<_> = said.lines().filter_map(counts).collect();
        assert!(rounds.len() > 2 && rounds.iter().all(|(refused, made)| refused == made), "{said}");
        assert!(!said.contains("not_listed") && !said.contains("loader"), "{said}");
    }
}

#[test]
fn the_probes_are_made_again_while_the_agent_runs() {
    for mut command in users() {
        let script = "i=0; while [ $i -lt 200 ]; do cat /dev/null; i=$((i+1)); done";
        let output = command.args(["observe", "reports", "period=20", "--", "/bin/sh", "-c", script]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let rounds: Vec<_> = said.lines().filter_map(counts).collect();
        assert!(rounds.len() > 2, "{said}");
        assert!(rounds.iter().all(|(refused, made)| refused == made && *made >= PROBES_MIN), "{said}");
        // What the probes attempt is not the agent's doing.
        for foreign in ["call keyctl", "/.wall", "oom_score_adj"] {
            assert!(!said.contains(foreign), "{said}");
        }
    }
}

/// A session whose agent counts up in a file of the workspace, and what it says.
struct Counting {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    /// What it said while something else was waited for: two of its threads speak.
    passed: Vec<String>,
    folder: tempfile::TempDir,
}

impl Drop for Counting {
    fn drop(&mut self) {
        // A test that failed leaves no session.
        let _over = self.child.kill();
        let _taken = self.child.wait();
    }
}

impl Counting {
    fn start(mut command: Command, options: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("bailiwick-probes-").tempdir_in("/var/tmp").unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let script = format!("cd {}; i=0; while :; do i=$((i+1)); echo $i >> count; done", folder.path().display());
        command.args(["reports", "period=20", &format!("rw={}", folder.path().display())]).args(options);
        command.args(["--", "/bin/sh", "-c", &script]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, passed: Vec::new(), folder }
    }

    fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        if let Some(found) = self.passed.iter().position(|line| wanted(line)) {
            return self.passed.remove(found);
        }
        loop {
            let line = self.lines.next().unwrap().unwrap();
            if wanted(&line) {
                return line;
            }
            self.passed.push(line);
        }
    }

    fn count(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("count")).unwrap_or_default()
    }

    /// Processes that descend from the session's supervisor, with their names and states.
    fn processes(&self) -> Vec<(u32, String, char)> {
        let mut known = BTreeSet::from([self.child.id()]);
        let mut found = Vec::new();
        loop {
            let stats =
                std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
            let before = known.len();
            for stat in stats {
                let (front, back) = stat.rsplit_once(") ").unwrap();
                let (number, name) = front.split_once(" (").unwrap();
                let (number, mut fields) = (number.parse().unwrap(), back.split(' '));
                let (now, parent) = (fields.next().unwrap().chars().next().unwrap(), fields.next().unwrap().parse().unwrap());
                if known.contains(&parent) && known.insert(number) {
                    found.push((number, name.to_owned(), now));
                }
            }
            if known.len() == before {
                return found;
            }
        }
    }

    fn runner(&self) -> u32 {
        self.processes().into_iter().find(|(_, name, _)| name == "bailiwick-probe").unwrap().0
    }

    /// The file with the bound on the session's processes, where it has a control group of the first version.
    fn group_bound(&self) -> Option<std::path::PathBuf> {
        let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", self.runner())).unwrap();
        let own = groups.lines().find_map(|line| line.split_once(":pids:")).map(|(_, path)| path.trim_start_matches('/'))?;
        own.contains("bailiwick-").then(|| std::path::Path::new("/sys/fs/cgroup/pids").join(own).join("pids.max"))
    }

    fn state_of(&self, name: &str) -> Option<char> {
        self.processes().into_iter().find(|(_, one, _)| one == name).map(|(_, _, state)| state)
    }

    /// Everything inside stands still; then the session ends, and nothing is left.
    fn assert_frozen_then_end(mut self) {
        self.line(|line| line == "breached");
        until(|| self.state_of("sh") == Some('T'));
        let before = self.count();
        assert!(!before.is_empty());
        // As long as another session runs its rounds, this one's agent does nothing.
        let mut other = Self::start(Command::new(example("session")), &[]);
        for _ in 0..5 {
            other.line(|line| counts(line).is_some());
        }
        other.child.kill().unwrap();
        other.child.wait().unwrap();
        assert_eq!(self.count(), before);
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
        assert_eq!(self.processes(), []);
    }
}

#[test]
fn a_runner_that_is_killed_is_a_failed_probe_and_freezes_the_session() {
    for command in users() {
        let mut session = Counting::start(command, &[]);
        session.line(|line| counts(line).is_some());
        until(|| !session.count().is_empty());
        // From outside: nobody inside can.
        let runner = rustix::process::Pid::from_raw(i32::try_from(session.runner()).unwrap()).unwrap();
        rustix::process::kill_process(runner, rustix::process::Signal::KILL).unwrap();
        assert_eq!(session.line(|line| line.contains("probe_runner")), "probed 0 of 1 refused probe_runner");
        session.assert_frozen_then_end();
    }
}

#[test]
fn a_wall_that_goes_while_the_agent_runs_freezes_the_session() {
    let mut session = Counting::start(Command::new(example("session")), &[]);
    session.line(|line| counts(line).is_some());
    until(|| !session.count().is_empty());
    // Somebody on the host lifts the bound of the session's control group.
    let Some(bound) = session.group_bound() else { return };
    std::fs::write(bound, "max").unwrap();
    let line = session.line(|line| counts(line).is_some_and(|(refused, made)| refused != made));
    assert!(line.ends_with("refused processes group_processes"), "{line}");
    session.assert_frozen_then_end();
}

#[test]
fn the_agent_neither_signals_nor_sees_into_the_runner_and_process_1() {
    let script = r#"for my $number (1 .. 9) { next if $number == $$; open(F, "<", "/proc/$number/comm") or next; my $name = <F>; chomp $name;
        next unless $name =~ /^(init|bailiwick-probe)$/; print "$name\n"; for my $signal (9, 19, 15, 0) { print "signalled $signal\n" if kill $signal, $number }
        for my $file ("mem", "environ", "maps") { open(M, "<", "/proc/$number/$file") and sysread(M, my $got, 9) and print "read $file\n" }
        for my $link ("exe", "root", "cwd", "fd/0") { print "followed $link\n" if defined readlink "/proc/$number/$link" } } kill 9, -1; kill 19, -1; print "done\n""#;
    for mut command in users().into_iter().chain(users()) {
        // Rounds all the time: the runner shows itself to the warden while one is made.
        let options = ["pipe", "observe", "reports", "period=1", "--", "/usr/bin/perl", "-e", script];
        let output = command.args(options).stdin(Stdio::null()).output().unwrap();
        let mut lines: Vec<_> = text(&output).lines().map(str::to_owned).collect();
        lines.sort();
        assert_eq!(lines, ["bailiwick-probe", "done", "init"], "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("breached"));
    }
}
