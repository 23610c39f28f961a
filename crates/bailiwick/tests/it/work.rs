//! Real work inside: what developers do all day ends as it does outside.

use crate::place::{Place, stderr, stdout};
use std::process::Command;

/// Whether this machine has a tool; says so where it has not.
fn has(tool: &str, question: &str) -> bool {
    let found = Command::new("/bin/sh").args(["-c", &format!("PATH=/usr/local/bin:/usr/bin:/bin; {tool} {question}")]).output();
    let there = found.is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped: {tool} is not installed");
    }
    there
}

/// Runs a script in a session's workspace; its last word must be `done`.
fn works(place: &Place, script: &str) {
    let output = place.run(&["--upstream", "echo"], &format!("set -e\n{script}\necho done"));
    assert!(
        output.status.success() && stdout(&output).ends_with("done\n"),
        "{:?}\n{}\n{}",
        output.status,
        stdout(&output),
        stderr(&output)
    );
    assert!(place.verifies());
}

#[test]
fn git_commits_branches_merges_stashes_and_packs() {
    if !has("git", "--version") {
        return;
    }
    let place = Place::new();
    // The settings of a repository are guarded: it is made outside, as a user's is.
    let made = Command::new("git").args(["init", "-q", "-b", "main"]).current_dir(place.path("workspace")).status().unwrap();
    assert!(made.success());
    works(
        &place,
        "g() { git -c user.name=a -c user.email=a@localhost -c safe.directory='*' \"$@\"; }
        for n in 1 2 3 4; do echo $n > file$n; done; g add .; g commit -qm first
        g checkout -qb side; echo side > side; g add side; g commit -qm side
        g checkout -q main; echo main > file1; g commit -qam main; g merge -q -m merge side
        test -f side; echo stashed > file2; g stash -q; test \"$(cat file2)\" = 2; g stash pop -q; test \"$(cat file2)\" = stashed
        g commit -qam stash; g gc -q; g fsck >/dev/null; test \"$(g rev-list --count HEAD)\" = 5; test -z \"$(g status --porcelain)\"",
    );
}

#[test]
fn c_is_compiled_by_make_with_two_jobs_and_runs() {
    if !has("make", "--version") || !has("cc", "--version") {
        return;
    }
    let place = Place::new();
    works(
        &place,
        "for n in 1 2 3 4 5 6; do echo \"int part$n(void) { return $n; }\" > part$n.c; done
        echo 'int part6(void); int main(void) { return part6(); }' > main.c
        printf 'program: part1.o part2.o part3.o part4.o part5.o part6.o main.o\\n\\tcc -o $@ $^\\n' > Makefile
        make -s -j2; code=0; ./program || code=$?; test $code = 6",
    );
}

#[test]
fn python_makes_an_environment_of_its_own_and_works_in_it() {
    if !has("python3", "-c 'import venv'") {
        return;
    }
    let place = Place::new();
    works(
        &place,
        "python3 -m venv --without-pip v
        test \"$(v/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)')\" = True
        v/bin/python -c 'import multiprocessing, subprocess; p = multiprocessing.Pool(2); print(p.map(abs, [-1, 2])); p.close(); p.join()' | grep -q '1, 2'
        printf 'import unittest\\nclass T(unittest.TestCase):\\n    def test_it(self): self.assertEqual(1, 1)\\n' > test_it.py
        v/bin/python -m unittest -q test_it 2>&1 | grep -q OK
        if python3 -c 'import pytest' 2>/dev/null; then python3 -m pytest -q test_it.py | grep -q '1 passed'; fi",
    );
}

#[test]
fn node_runs_its_tests() {
    if !has("node", "--test --version") {
        return;
    }
    let place = Place::new();
    works(
        &place,
        "echo \"require('node:test')('it', () => {})\" > it.test.js
        node --test > tests 2>&1 || { cat tests; exit 1; }
        grep -q 'pass 1' tests",
    );
}

#[test]
fn a_development_server_answers_its_clients_on_loopback() {
    if !has("python3", "--version") {
        return;
    }
    let place = Place::new();
    std::fs::write(place.path("workspace").join("page"), "served").unwrap();
    let client = r"
import http.server, threading, urllib.request
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = 'http://127.0.0.1:%d/page' % server.server_port
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for _ in range(20):
    assert opener.open(address, timeout=20).read() == b'served'
server.shutdown()
";
    std::fs::write(place.path("workspace").join("serve.py"), client).unwrap();
    works(&place, "python3 serve.py 2>log || { cat log; exit 1; }");
}

#[test]
fn cargo_builds_a_crate_offline() {
    let found = Command::new("rustc").args(["--print", "sysroot"]).output();
    let Some(root) = found.ok().filter(|output| output.status.success()).map(|output| stdout(&output).trim().to_owned()) else {
        println!("skipped: rustc is not installed");
        return;
    };
    if !has("cc", "--version") {
        return;
    }
    let place = Place::new();
    let folder = place.path("workspace");
    std::fs::create_dir(folder.join("src")).unwrap();
    std::fs::write(folder.join("Cargo.toml"), "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n").unwrap();
    std::fs::write(folder.join("src/main.rs"), "fn main() { println!(\"built\"); }\n").unwrap();
    let script = format!(
        "set -e\nPATH={root}/bin:$PATH CARGO_HOME=$PWD/home cargo build -q --offline 2>log || {{ cat log; exit 1; }}\n./target/debug/tiny"
    );
    let options = ["--upstream", "echo", "--program-dir", &root];
    let output = place.run(&options, &script);
    assert_eq!(stdout(&output), "built\n", "{}", stderr(&output));
}
