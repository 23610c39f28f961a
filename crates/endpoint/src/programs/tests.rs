use super::{list, measure};
use crate::{Error, Program};
use policy::AllowedProgram;
use sandbox::ListedProgram;
use schema::Token;
use std::ffi::OsStr;
use std::path::PathBuf;

fn agent() -> Program {
    Program::find(OsStr::new("/bin/sh"), OsStr::new("/bin")).unwrap()
}

#[test]
fn a_file_with_another_digest_refuses_the_session() {
    let other = Token::parse(&"0".repeat(64)).unwrap();
    let refused = list(&AllowedProgram::Path("/bin/sh".into(), Some(other)), &agent());
    assert!(matches!(refused, Err(Error::ProgramRefused { reason: "listed_digest", .. })), "{refused:?}");
}

#[test]
fn what_is_not_there_lists_nothing() {
    let nowhere = PathBuf::from("/nowhere/program");
    assert_eq!(list(&AllowedProgram::Path(nowhere.clone(), None), &agent()).unwrap(), []);
    assert_eq!(list(&AllowedProgram::Tree(nowhere), &agent()).unwrap(), []);
    assert_eq!(list(&AllowedProgram::Digest(Token::parse(&"0".repeat(64)).unwrap()), &agent()).unwrap(), []);
}

#[test]
fn a_digest_lists_the_agents_own_file_as_it_was_measured() {
    let file = std::fs::canonicalize("/bin/sh").unwrap();
    let (digest, identity) = measure(&file);
    assert!(identity.is_some());
    let listed = list(&AllowedProgram::Digest(digest.unwrap()), &agent()).unwrap();
    assert_eq!(listed, [ListedProgram::File { path: file, identity }]);
}
