//! Workspaces are kept before sessions and brought back; what is staged reaches them only by a commit.

use crate::place::{Place, stderr, stdout};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Everything in a folder that a rollback has to bring back: kind, mode, time, content, and which names share a file.
fn state(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut first = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        let facts = fs::symlink_metadata(&path).unwrap();
        let own = path.strip_prefix(folder).unwrap().to_owned();
        let what = if facts.is_symlink() {
            format!("link {}", fs::read_link(&path).unwrap().display())
        } else if facts.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            "folder".to_owned()
        } else {
            let shared = (facts.nlink() > 1).then(|| first.entry(facts.ino()).or_insert_with(|| own.clone()).clone());
            format!("file {:?} {shared:?}", fs::read(&path).unwrap())
        };
        let time = if facts.is_symlink() { (0, 0) } else { (facts.mtime(), facts.mtime_nsec()) };
        found.insert(own, format!("{what} {:o} {time:?}", facts.mode()));
    }
    found
}

/// A small project with something of everything.
fn project(place: &Place) {
    let at = |name: &str| place.path("workspace").join(name);
    fs::create_dir_all(at("src/empty")).unwrap();
    fs::write(at("src/main.txt"), "one\ntwo\nthree\n").unwrap();
    fs::hard_link(at("src/main.txt"), at("twin.txt")).unwrap();
    symlink("src/main.txt", at("link")).unwrap();
    fs::write(at("tool"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(at("tool"), fs::Permissions::from_mode(0o750)).unwrap();
    for number in 0..60 {
        fs::write(at(&format!("src/{number}.txt")), format!("file {number}\n").repeat(200)).unwrap();
    }
}

/// What an agent that went wrong leaves.
const DAMAGE: &str = "rm src/[1-3]*.txt; echo x >> src/main.txt; rm -r src/empty link; ln -s /etc/passwd link; chmod 700 tool; \
    for n in 1 2 3 4 5 6 7 8 9; do mkdir -p new/$n; echo $n > new/$n/f; done; rm twin.txt; mkdir twin.txt; echo z > twin.txt/z; true";

/// The ids of kept states, the oldest first.
fn ids(place: &Place) -> Vec<String> {
    let output = place.bailiwick(&["session", "list", "--json"]).output().unwrap();
    let list: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// A session that did damage, and its id.
fn damaged(options: &[&str]) -> (Place, BTreeMap<PathBuf, String>, String) {
    let place = Place::new();
    project(&place);
    let before = state(&place.path("workspace"));
    let output = place.run(&[&["--upstream", "echo"], options].concat(), DAMAGE);
    assert!(output.status.success(), "{}", stderr(&output));
    let id = ids(&place).pop().unwrap();
    (place, before, id)
}

fn session(place: &Place, args: &[&str]) -> (Option<i32>, String) {
    let output = place.bailiwick(&[&["session"], args].concat()).output().unwrap();
    (output.status.code(), stdout(&output) + &stderr(&output))
}

fn policy(place: &Place, key: &str, value: &str) -> String {
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    let line = pilot.lines().find(|line| line.starts_with(key)).unwrap();
    let file = place.path("elsewhere").join("policy.toml");
    fs::write(&file, pilot.replace(&format!("\n{line}\n"), &format!("\n{key} = {value}\n"))).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_workspace_that_cannot_be_kept_refuses_the_session() {
    let place = Place::new();
    fs::write(place.path("workspace").join("large"), vec![1; 100_000]).unwrap();
    let file = policy(&place, "bytes_max", "\"64 KiB\"");
    let output = place.run(&["--policy", &file], "echo ran > marker");
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("session.snapshot.bytes_max") && stderr(&output).contains("--stage"), "{}", stderr(&output));
    assert!(!place.path("workspace").join("marker").exists());
    assert_eq!(
        (ids(&place).len(), place.bailiwick(&["evidence", "list"]).output().unwrap().stdout),
        (0, b"no sessions on record yet\n".to_vec())
    );
    // What the refusal advises works.
    assert!(place.run(&["--policy", &file, "--stage"], "true").status.success());
    let file = policy(&place, "mode", "\"danger_none\"");
    assert!(place.run(&["--policy", &file], "true").status.success());
    let log = fs::read_dir(place.path("state").join("bailiwick/evidence")).unwrap();
    let logs: Vec<String> = log.map(|log| fs::read_to_string(log.unwrap().path().join("log.jsonl")).unwrap()).collect();
    assert!(logs.iter().any(|log| log.contains("\"type\":\"workspace.snapshotted\"") && log.contains("\"method\":\"none\"")), "{logs:?}");
}

#[test]
fn a_state_folder_that_takes_nothing_refuses_the_session() {
    let place = Place::new();
    fs::create_dir_all(place.path("state").join("bailiwick")).unwrap();
    fs::write(place.path("state").join("bailiwick/snapshots"), "in the way").unwrap();
    fs::write(place.path("workspace").join("file"), "x").unwrap();
    let output = place.run(&["--upstream", "echo"], "echo ran > marker");
    assert_eq!(output.status.code(), Some(125), "{}", stderr(&output));
    assert!(!place.path("workspace").join("marker").exists());
}

#[test]
fn what_is_not_kept_cannot_be_named() {
    let place = Place::new();
    for id in ["ses-00000000000000000000000000000000", "../../evidence", "ses-../../../../etc/passwd", ""] {
        for command in ["show", "diff", "rollback", "commit", "discard"] {
            assert_eq!(session(&place, &[command, id]).0, Some(3), "{command} {id}");
        }
    }
    assert_eq!(session(&place, &["list"]), (Some(0), "no workspaces are kept yet\n".to_owned()));
}

#[test]
fn nothing_is_changed_without_consent() {
    let (place, _, id) = damaged(&[]);
    let after = state(&place.path("workspace"));
    assert_eq!(session(&place, &["rollback", &id]).0, Some(2));
    let (code, told) = session(&place, &["rollback", &id, "--dry-run"]);
    assert!(code == Some(0) && told.contains("M src/main.txt") && told.contains("D new/1/f"), "{told}");
    assert_eq!(session(&place, &["rollback", &id, "--yes", "--path", "../elsewhere"]).0, Some(1));
    assert_eq!(state(&place.path("workspace")), after);
    assert_eq!(session(&place, &["commit", &id, "--yes"]).0, Some(1));
}

#[test]
fn a_rollback_brings_everything_back_and_can_be_undone() {
    let (place, before, id) = damaged(&[]);
    let after = state(&place.path("workspace"));
    let (code, told) = session(&place, &["diff", &id]);
    assert!(code == Some(0) && told.contains("M src/main.txt\n") && told.contains("+x\n") && told.contains("T twin.txt"), "{told}");
    assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(0));
    assert_eq!(state(&place.path("workspace")), before);
    let undo = ids(&place).pop().unwrap();
    assert_ne!(undo, id);
    assert_eq!(session(&place, &["rollback", &undo, "--yes"]).0, Some(0));
    assert_eq!(state(&place.path("workspace")), after);
    assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(0));
    assert_eq!(state(&place.path("workspace")), before);
    assert!(place.verifies());
    let acts = place.acts_of("workspace_restored");
    assert_eq!(acts.iter().filter(|act| act["phase"] == "done").count(), 3, "{acts:?}");
}

#[test]
fn one_path_is_brought_back_alone() {
    let (place, before, id) = damaged(&[]);
    assert_eq!(session(&place, &["rollback", &id, "--yes", "--path", "src/main.txt", "--path", "src/empty"]).0, Some(0));
    let now = state(&place.path("workspace"));
    for path in ["src/main.txt", "src/empty"] {
        // Its other name is still something else, so that they share nothing yet.
        let plain = |state: &BTreeMap<PathBuf, String>| {
            let shared = ["src/main.txt", "twin.txt"].map(|name| format!("Some({name:?})"));
            shared.iter().fold(state[Path::new(path)].clone(), |text, one| text.replace(one, "None"))
        };
        assert_eq!(plain(&now), plain(&before), "{path}");
    }
    assert!(now.contains_key(Path::new("new/1/f")) && !now.contains_key(Path::new("src/10.txt")));
}

#[test]
fn later_work_of_others_is_named_and_needs_force() {
    let (place, before, id) = damaged(&[]);
    fs::write(place.path("workspace").join("src/main.txt"), "mine, after the session\n").unwrap();
    fs::write(place.path("workspace").join("mine.txt"), "new\n").unwrap();
    let (code, told) = session(&place, &["rollback", &id, "--yes"]);
    assert!(code == Some(1) && told.contains("src/main.txt") && told.contains("mine.txt") && told.contains("--force"), "{told}");
    assert!(!told.contains("new/1"), "{told}");
    assert!(place.path("workspace").join("mine.txt").exists());
    assert_eq!(session(&place, &["rollback", &id, "--yes", "--force"]).0, Some(0));
    assert_eq!(state(&place.path("workspace")), before);
}

#[test]
fn a_state_that_was_altered_is_not_brought_back() {
    let (place, _, id) = damaged(&[]);
    let after = state(&place.path("workspace"));
    let entry = place.path("state").join("bailiwick/snapshots/states").join(&id).join("entry");
    let text = fs::read_to_string(&entry).unwrap();
    let digest = text.lines().find_map(|line| line.strip_prefix("manifest ")).unwrap().to_owned();
    let objects = place.path("state").join("bailiwick/snapshots/objects");
    let list = objects.join(digest.get(..2).unwrap()).join(&digest);
    let whole = fs::read_to_string(&list).unwrap();
    fs::write(&list, whole.replace(" tool", " toll")).unwrap();
    assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(1));
    // Another list, with the digest that belongs to it: the log knows better.
    fs::write(&list, whole).unwrap();
    let other = objects.join("00").join("0".repeat(64));
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(other, "bailiwick-workspace 1\n").unwrap();
    fs::write(&entry, text.replace(&digest, &"0".repeat(64))).unwrap();
    let (code, told) = session(&place, &["rollback", &id, "--yes"]);
    assert!(code == Some(1) && told.contains("log"), "{told}");
    fs::write(&entry, text).unwrap();
    // Without its log nothing can be recorded, so nothing is done.
    fs::rename(place.log(), place.path("elsewhere").join("log")).unwrap();
    assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(1));
    assert_eq!(state(&place.path("workspace")), after);
}

/// Lets a command run for ever longer, and kills it, until it ends by itself.
fn killed_often(place: &Place, args: &[&str]) {
    let mut kills = 0;
    for step in 0..80_u32 {
        let mut child = place.bailiwick(&[&["session"], args].concat()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_micros(500) * (step + step * step / 16);
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if Instant::now() >= deadline => break None,
                None => std::thread::yield_now(),
            }
        };
        let Some(status) = status else {
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            continue;
        };
        let output = child.wait_with_output().unwrap();
        assert!(status.success(), "after {kills} kills: {}", stderr(&output));
        println!("{kills} kills");
        assert!(kills > 3);
        return;
    }
    let output = place.bailiwick(&[&["session"], args].concat()).output().unwrap();
    assert!(output.status.success(), "after {kills} kills: {}", stderr(&output));
}

#[test]
fn a_rollback_that_is_killed_is_completed_by_the_next() {
    let (place, before, id) = damaged(&[]);
    killed_often(&place, &["rollback", &id, "--yes"]);
    assert_eq!(state(&place.path("workspace")), before);
    assert!(place.verifies());
}

#[test]
fn a_session_that_was_killed_can_be_rolled_back() {
    let place = Place::new();
    project(&place);
    let before = state(&place.path("workspace"));
    let mark = place.path("workspace").join("mark");
    let mut child = place.session(&["--upstream", "echo"], &format!("{DAMAGE}; echo > mark; exec sleep 60")).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !mark.exists() {
        assert!(Instant::now() < deadline, "the agent did not start");
        std::thread::yield_now();
    }
    let id = ids(&place).pop().unwrap();
    let (code, told) = session(&place, &["rollback", &id, "--yes"]);
    assert!(code == Some(1) && told.contains("in use"), "{told}");
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, told) = until_free(&place, &["rollback", &id, "--yes"]);
    assert!(code == Some(0) && told.contains("not on record"), "{told}");
    assert_eq!(state(&place.path("workspace")), before);
}

/// The command's answer once the parts of a killed session are gone.
fn until_free(place: &Place, args: &[&str]) -> (Option<i32>, String) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = session(place, args);
        if !answer.1.contains("in use") || Instant::now() > deadline {
            return answer;
        }
    }
}

#[test]
fn what_is_staged_reaches_the_workspace_only_by_a_commit() {
    let (live, _, _) = damaged(&[]);
    let (place, before, id) = damaged(&["--stage"]);
    assert_eq!(state(&place.path("workspace")), before);
    let (_, told) = session(&place, &["diff", &id, "--names"]);
    assert!(told.contains("M src/main.txt") && told.contains("T twin.txt") && told.contains("D src/empty"), "{told}");
    assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(1));
    assert_eq!(session(&place, &["commit", &id]).0, Some(2));
    assert_eq!(session(&place, &["commit", &id, "--yes"]).0, Some(0));
    let plain = |place: &Place| -> Vec<(PathBuf, String)> {
        let cut = |text: String| text.rsplit_once(" (").unwrap().0.to_owned();
        state(&place.path("workspace")).into_iter().map(|(path, what)| (path, cut(what))).collect()
    };
    assert_eq!(plain(&place), plain(&live));
    let after = state(&place.path("workspace"));
    // Once more changes nothing, and there is nothing left to discard.
    assert_eq!(session(&place, &["commit", &id, "--yes"]).0, Some(0));
    assert_eq!(session(&place, &["discard", &id, "--yes"]).0, Some(1));
    assert_eq!(state(&place.path("workspace")), after);
    assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(0));
    assert_eq!(state(&place.path("workspace")), before);
    assert!(place.verifies());
}

#[test]
fn a_commit_that_is_killed_is_completed_by_the_next() {
    let (live, _, _) = damaged(&[]);
    let (place, before, id) = damaged(&["--stage"]);
    killed_often(&place, &["commit", &id, "--yes"]);
    let names = |place: &Place| state(&place.path("workspace")).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&place), names(&live));
    assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(0));
    assert_eq!(state(&place.path("workspace")), before);
}

#[test]
fn a_commit_over_later_work_of_others_is_refused_and_names_it() {
    let (place, _, id) = damaged(&["--stage"]);
    fs::write(place.path("workspace").join("src/main.txt"), "mine, meanwhile\n").unwrap();
    fs::write(place.path("workspace").join("src/empty/mine"), "in a folder that the session removed\n").unwrap();
    fs::write(place.path("workspace").join("unrelated"), "mine\n").unwrap();
    let (code, told) = session(&place, &["commit", &id, "--yes"]);
    assert!(code == Some(1) && told.contains("src/main.txt") && told.contains("src/empty/mine"), "{told}");
    assert!(!told.contains("unrelated"), "{told}");
    assert_eq!(fs::read_to_string(place.path("workspace").join("src/main.txt")).unwrap(), "mine, meanwhile\n");
    assert_eq!(session(&place, &["commit", &id, "--yes", "--force"]).0, Some(0));
    assert!(place.path("workspace").join("unrelated").exists());
    assert!(!place.path("workspace").join("src/empty").exists());
}

#[test]
fn what_is_discarded_is_gone_and_a_staged_run_can_commit_at_once() {
    let (place, before, id) = damaged(&["--stage", "--keep"]);
    assert_eq!(session(&place, &["discard", &id]).0, Some(2));
    // What cannot be recorded is not done.
    let log = place.log().join("log.jsonl");
    fs::rename(&log, place.path("elsewhere").join("log")).unwrap();
    assert_eq!(session(&place, &["discard", &id, "--yes"]).0, Some(1));
    fs::rename(place.path("elsewhere").join("log"), &log).unwrap();
    assert_eq!(session(&place, &["discard", &id, "--yes"]).0, Some(0));
    assert_eq!(session(&place, &["commit", &id, "--yes"]).0, Some(1));
    let dropped = place.acts_of("workspace_discarded");
    assert_eq!((dropped[0]["phase"].as_str(), dropped[1]["phase"].as_str()), (Some("begun"), Some("done")));
    assert!(dropped[0]["paths"].as_u64() > Some(20) && place.verifies(), "{}", dropped[0]);
    assert_eq!(state(&place.path("workspace")), before);
    let (place, before, id) = damaged(&["--stage", "--commit"]);
    assert_ne!(state(&place.path("workspace")), before);
    assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(0));
    assert_eq!(state(&place.path("workspace")), before);
}

#[test]
fn a_staged_session_works_as_in_its_workspace() {
    let place = Place::new();
    project(&place);
    // Its hooks and settings are not the agent's to make.
    let made = std::process::Command::new("git").args(["init", "-q"]).current_dir(place.path("workspace")).status().unwrap();
    assert!(made.success());
    let script = "pwd; git add src && git -c user.name=a -c user.email=a@a.example commit -qm x && git status --short | wc -l; \
        mv src moved; ls moved | wc -l; echo content > moved/main.txt; cat moved/main.txt; rm -rf moved; ls";
    let output = place.run(&["--upstream", "echo", "--stage"], script);
    assert!(output.status.success(), "{}", stderr(&output));
    let told = stdout(&output);
    assert!(told.starts_with(place.path("workspace").to_str().unwrap()) && told.contains("content\n"), "{told}\n{}", stderr(&output));
    let opened = fs::read_to_string(place.log().join("log.jsonl")).unwrap();
    assert!(opened.contains("\"path_class\":\"workspace\"") && !opened.contains("\"path_class\":\"outside\",\"mode\":\"write\""));
    let id = ids(&place).pop().unwrap();
    assert_eq!(session(&place, &["commit", &id, "--yes"]).0, Some(0));
    assert!(
        !place.path("workspace").join("src").exists() && place.path("workspace").join(".git/refs/heads").read_dir().unwrap().count() == 1
    );
}

#[test]
fn an_export_holds_what_changed_with_its_digests() {
    let (place, _, id) = damaged(&[]);
    let file = place.path("elsewhere").join("export.tar");
    let name = file.to_str().unwrap();
    assert_eq!(session(&place, &["export", &id, "-o", name]).0, Some(0));
    // Nothing is written over.
    assert_eq!(session(&place, &["export", &id, "-o", name]).0, Some(3));
    let listed = std::process::Command::new("tar").args(["tf", name]).output().unwrap();
    let listed = stdout(&listed);
    assert!(["manifest.json", "changes.diff", "files/src/main.txt", "files/new/1/f"].iter().all(|one| listed.contains(one)), "{listed}");
    let manifest = std::process::Command::new("tar").args(["xOf", name, "manifest.json"]).output().unwrap();
    let manifest: Vec<Value> = serde_json::from_slice(&manifest.stdout).unwrap();
    let main = manifest.iter().find(|one| one["path"] == "src/main.txt").unwrap();
    assert_eq!((&main["change"], main["old_sha256"].as_str().unwrap().len(), &main["new_bytes"]), (&"M".into(), 64, &16.into()));
}

#[test]
fn old_states_are_taken_away_and_the_rest_stays_whole() {
    let place = Place::new();
    project(&place);
    let before = state(&place.path("workspace"));
    let file = policy(&place, "keep_sessions_max", "2");
    for number in 0..4 {
        let script = format!("echo {number} > src/main.txt; head -c 5000 /dev/urandom > src/random");
        assert!(place.run(&["--policy", &file, "--upstream", "echo"], &script).status.success());
        if number == 0 {
            let id = ids(&place).pop().unwrap();
            assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(0));
            assert_eq!(state(&place.path("workspace")), before);
        }
    }
    let left = ids(&place);
    assert_eq!(left.len(), 2);
    assert_eq!(session(&place, &["rollback", &left[1], "--yes"]).0, Some(0));
    assert_eq!(fs::read_to_string(place.path("workspace").join("src/main.txt")).unwrap(), "2\n");
}

#[test]
fn no_name_hides_what_a_session_wrote_from_the_one_who_looks() {
    let place = Place::new();
    // As a rollback that was killed leaves them.
    let script = "for name in .bailiwick-part-0123456789abcdef .bailiwick-part-x; do echo evil > $name; done; mkdir .bailiwick-part-d; echo y > .bailiwick-part-d/f";
    assert!(place.run(&["--upstream", "echo", "--stage"], script).status.success());
    let staged = ids(&place).pop().unwrap();
    let told = ["A .bailiwick-part-0123456789abcdef", "A .bailiwick-part-x", "A .bailiwick-part-d", "A .bailiwick-part-d/f"];
    let (_, said) = session(&place, &["diff", &staged, "--names"]);
    assert!(told.iter().all(|line| said.lines().any(|one| one == *line)), "{said}");
    let (_, said) = session(&place, &["commit", &staged, "--dry-run"]);
    assert!(told.iter().all(|line| said.lines().any(|one| one == *line)), "{said}");
    assert_eq!(session(&place, &["discard", &staged, "--yes"]).0, Some(0));
    assert!(place.run(&["--upstream", "echo"], script).status.success());
    let id = ids(&place).pop().unwrap();
    let (_, said) = session(&place, &["diff", &id, "--names"]);
    assert!(told.iter().all(|line| said.lines().any(|one| one == *line)), "{said}");
    assert_eq!(session(&place, &["rollback", &id, "--yes"]).0, Some(0));
    assert_eq!(fs::read_dir(place.path("workspace")).unwrap().count(), 0);
}

#[test]
fn a_second_name_of_what_is_kept_from_the_agent_refuses_the_session() {
    for (guarded, other, kind) in [(".env", "notes.txt", "secret"), (".envrc", "src/rc", "run"), (".env", ".envrc", "both")] {
        let place = Place::new();
        let at = |name: &str| place.path("workspace").join(name);
        fs::create_dir(at("src")).unwrap();
        fs::write(at(guarded), format!("TOKEN={kind}\n")).unwrap();
        fs::hard_link(at(guarded), at(other)).unwrap();
        for options in [&[][..], &["--stage"]] {
            let output = place.run(options, "cat notes.txt src/rc .envrc; echo x >> src/rc; echo ran");
            let said = stderr(&output);
            assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(125), ""), "{said}");
            let says = |word: &str| said.contains(word);
            assert!(says("sandbox.file_denied") && says(guarded) && says(other) && says("hard link"), "{said}");
            assert_eq!(fs::read_to_string(at(guarded)).unwrap(), format!("TOKEN={kind}\n"));
        }
    }
    // Names that are guarded alike, or not at all, may share a file.
    let place = Place::new();
    for (one, other) in [(".env", ".env.local"), ("a", "b")] {
        fs::write(place.path("workspace").join(one), "A=1\n").unwrap();
        fs::hard_link(place.path("workspace").join(one), place.path("workspace").join(other)).unwrap();
    }
    assert_eq!(stdout(&place.run(&[], "echo ran")), "ran\n");
}
