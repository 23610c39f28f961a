use super::{FileIdentity, ListedProgram, ProgramRefusal, Programs};
use std::path::Path;

const MEASURED: FileIdentity = FileIdentity { device: 1, inode: 2, bytes: 3, changed: (4, 5) };

fn listed() -> Programs {
    let file = |path: &str, identity| ListedProgram::File { path: path.into(), identity };
    Programs {
        listed: Some(vec![
            file("/usr/bin/git", None),
            file("/usr/bin/node", Some(MEASURED)),
            ListedProgram::Tree("/usr/lib".into()),
            file("/usr/lib/own-loader.so", None),
        ]),
        loaders: vec!["/usr/lib/ld-linux.so.2".into(), "/usr/lib/own-loader.so".into()],
        ..Programs::default()
    }
}

#[test]
fn only_what_is_listed_may_run_and_the_loader_only_by_its_own_path() {
    let listed = listed();
    let written = FileIdentity { changed: (4, 6), ..MEASURED };
    let cases = [
        ("/usr/bin/git", MEASURED, None),
        ("/usr/bin/git-shell", MEASURED, Some(ProgramRefusal::NotListed)),
        ("/usr/library/x", MEASURED, Some(ProgramRefusal::NotListed)),
        ("/usr/bin/node", MEASURED, None),
        ("/usr/bin/node", written, Some(ProgramRefusal::Changed)),
        ("/usr/lib/git-core/git-remote-https", written, None),
        ("/usr/lib/ld-linux.so.2", MEASURED, Some(ProgramRefusal::Loader)),
        ("/usr/lib/own-loader.so", MEASURED, None),
    ];
    for (path, identity, expected) in cases {
        assert_eq!(listed.refusal(Path::new(path), &identity), expected, "{path}");
    }
}

#[test]
fn an_empty_list_lets_nothing_run_and_no_list_lets_everything_run() {
    let nothing = Programs { listed: Some(Vec::new()), ..Programs::default() };
    assert_eq!(nothing.refusal(Path::new("/bin/sh"), &MEASURED), Some(ProgramRefusal::NotListed));
    assert_eq!(Programs::default().refusal(Path::new("/bin/sh"), &MEASURED), None);
}
