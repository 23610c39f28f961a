use super::How;
use schema::event::FileMode;

#[test]
fn open_ignores_what_it_does_not_know_and_openat2_is_told_no_more() {
    let how = How::classic(libc::O_RDONLY | 0x4000_0000, 0o644);
    assert_eq!((how.flags, how.mode, how.resolve), (0, 0, 0));
    let how = How::classic(libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, 0o177_644);
    assert_eq!(how.mode, 0o7644);
    let how = How::classic(libc::O_PATH | libc::O_CREAT | libc::O_RDWR | libc::O_NOFOLLOW, 0o644);
    assert_eq!((how.flags, how.mode), (u64::from((libc::O_PATH | libc::O_NOFOLLOW).unsigned_abs()), 0));
}

#[test]
fn modes_are_by_access() {
    for (flags, mode) in
        [(libc::O_RDONLY, FileMode::Read), (libc::O_WRONLY, FileMode::Write), (libc::O_RDWR, FileMode::ReadWrite), (3, FileMode::ReadWrite)]
    {
        assert_eq!(How::classic(flags | libc::O_CREAT, 0).file_mode(), mode);
    }
}

#[test]
fn the_wardens_own_call_never_waits_nor_takes_a_terminal() {
    let how = How::classic(libc::O_RDWR, 0).at_once(0);
    for flag in [libc::O_CLOEXEC, libc::O_NOCTTY, libc::O_NONBLOCK] {
        assert_ne!(how.flags & u64::from(flag.unsigned_abs()), 0);
    }
    let again = How::classic(libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL, 0o600).again();
    assert_eq!((again.flags & u64::from((libc::O_CREAT | libc::O_NONBLOCK).unsigned_abs()), again.mode), (0, 0));
}

#[test]
fn a_link_at_the_end_is_followed_unless_that_is_refused() {
    assert!(How::classic(libc::O_RDONLY, 0).follows());
    assert!(How::classic(libc::O_CREAT, 0).follows());
    assert!(!How::classic(libc::O_CREAT | libc::O_EXCL, 0).follows());
    assert!(!How::classic(libc::O_NOFOLLOW, 0).follows());
}
