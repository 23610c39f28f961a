use crate::{example, ordinary, text};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Processes of one session, the warden and process 1 included.
const PROCESSES_MAX: usize = 64;

/// The bound comes from a control group, from process numbers, or from the user's count, whichever this host and user have.
fn users() -> Vec<(&'static str, Command)> {
    let session = example("session");
    let mut without_groups = Command::new("unshare");
    without_groups.args(["--mount", "/bin/sh", "-c", "umount -R /sys/fs/cgroup; exec \"$0\" \"$@\""]).arg(&session);
    let ordinary = ordinary(Command::new(&session));
    if rustix::process::geteuid().is_root() {
        vec![("root", Command::new(&session)), ("root without control groups", without_groups), ("ordinary user", ordinary)]
    } else {
        vec![("ordinary user", ordinary)]
    }
}

fn inside(command: &mut Command, options: &[&str], script: &str) -> Child {
    command.args(["allow=seccomp", "pipe"]).args(options).args(["--", "/usr/bin/perl", "-e", script]);
    command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap()
}

/// Processes of the host whose program text has that mark.
fn marked(mark: &str) -> usize {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = folders.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(mark) && !line.starts_with(b"unshare")).count()
}

#[test]
fn a_fork_bomb_stays_below_its_bound() {
    for (number, (user, mut command)) in users().into_iter().enumerate() {
        let mark = format!("bomb-{}-{number}", std::process::id());
        // Every process forks until it is refused, and tells when it was.
        let script =
            format!("$| = 1; my $mark = '{mark}'; while (1) {{ my $child = fork; last unless defined $child }} print \"x\\n\"; sleep");
        let mut child = inside(&mut command, &[&format!("processes={PROCESSES_MAX}")], &script);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut most = 0;
        // Half of the bound have been refused: the bomb has gone off.
        for _ in 0..PROCESSES_MAX / 2 {
            lines.next().unwrap().unwrap();
            most = most.max(marked(&mark));
        }
        // The example itself shows the mark too. Numbers of processes are a coarser bound.
        let bound = if user == "root without control groups" { PROCESSES_MAX + 301 } else { PROCESSES_MAX };
        assert!((PROCESSES_MAX / 2..=bound).contains(&most), "{user}: {most}");
        child.kill().unwrap();
        child.wait().unwrap();
        crate::until(|| marked(&mark) == 0);
    }
}

#[test]
fn a_memory_hog_is_refused() {
    for (user, mut command) in users() {
        let child = inside(&mut command, &["memory=67108864"], "my $hog = 'x' x (96 << 20); print length $hog");
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success(), "{user}");
        assert_eq!(text(&output), "", "{user}");
    }
}

#[test]
fn hogs_together_stay_below_the_bound_of_the_session() {
    if group_of("memory").is_none() {
        return;
    }
    let script = "for (1..4) { next if fork; my $hog = 'x' x (40 << 20); print 'x'; exit } 1 while wait != -1; print '.'";
    let output = inside(&mut Command::new(example("session")), &["memory=67108864"], script).wait_with_output().unwrap();
    assert!(text(&output).matches('x').count() < 4 || !output.status.success(), "{output:?}");
}

#[test]
fn too_many_files_are_refused() {
    for (user, mut command) in users() {
        let script = "my @open; while (open(my $file, '<', '/dev/null')) { push @open, $file } print scalar @open";
        let output = inside(&mut command, &["files=32"], script).wait_with_output().unwrap();
        let count: usize = text(&output).parse().unwrap();
        assert!((20..=29).contains(&count), "{user}: {count}");
    }
}

#[test]
fn too_large_a_file_is_refused() {
    let workspace = tempfile::tempdir().unwrap();
    std::fs::set_permissions(workspace.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    for (number, (user, mut command)) in users().into_iter().enumerate() {
        let file = workspace.path().join(number.to_string());
        let script = format!("open(F, '>', '{}') or die; $| = 1; 1 while syswrite(F, 'x' x 1000)", file.display());
        let option = format!("rw={}", workspace.path().display());
        let child = inside(&mut command, &["file-bytes=65536", &option], &script);
        assert!(!child.wait_with_output().unwrap().status.success(), "{user}");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 65536, "{user}");
    }
}

/// The folder below which this process could make groups with that controller, if it is of the first version.
fn group_of(controller: &str) -> Option<PathBuf> {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let path = own.lines().find_map(|line| line.split_once(&format!(":{controller}:")).map(|(_, path)| path))?;
    let folder = Path::new("/sys/fs/cgroup").join(controller).join(path.trim_start_matches('/'));
    rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK).is_ok().then_some(folder)
}

/// Groups of sessions that this process is not the parent of may be there: only those without processes count.
fn left_over(folder: &Path) -> usize {
    let groups = std::fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("bailiwick-"));
    groups.filter(|group| std::fs::File::open(group.path()).is_ok_and(|open| open.try_lock().is_ok())).count()
}

#[test]
fn the_group_of_a_killed_supervisor_is_removed_by_the_next_start() {
    let Some(folder) = group_of("pids") else { return };
    let mut command = Command::new(example("session"));
    let mut child = inside(&mut command, &[], "$| = 1; print \"up\\n\"; sleep");
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // Its processes end in the kernel's own time; each start tries again.
    crate::until(|| {
        assert!(inside(&mut Command::new(example("session")), &[], "").wait().unwrap().success());
        left_over(&folder) == 0
    });
}
